// SPDX-License-Identifier: GPL-2.0-or-later
// Writes a UKI with every section that is read, one of several profiles, a zboot image, and some
// of them inside each other.
#include <filesystem>
#include <fstream>

#include "tests/kexec/image_builder.h"
#include "tests/kexec/packer.h"

namespace {

using kdumpkit::Compression;
using kdumpkit::EfiSection;

void Write(const std::string& folder, const std::string& name, const std::string& contents) {
  std::ofstream(folder + "/" + name, std::ios::binary) << contents;
}

std::string Uki(const std::string& kernel) {
  return kdumpkit::MakeEfiProgram({{".osrel", "ID=x\nPRETTY_NAME=\"X 1\"\n", {}},
                                   {".uname", "6.1.0", {}},
                                   {".cmdline", "quiet ro\n", {}},
                                   {".ucode", "070701u", {}},
                                   {".initrd", "070701i", {}},
                                   {".linux", kernel, {}}},
                                  {.is_signed = true});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 1;
  std::string folder = argv[1];
  std::filesystem::create_directories(folder);
  std::string bzimage = kdumpkit::MakeBzImage({.payload_paragraphs = 4});
  std::string zboot =
      kdumpkit::MakeZbootImage(Pack(Compression::kGzip, kdumpkit::MakeArm64Image()), "gzip");
  Write(folder, "uki", Uki(bzimage));
  Write(folder, "zboot", zboot);
  Write(folder, "uki-with-zboot", Uki(zboot));
  Write(folder, "packed-uki", Pack(Compression::kLz4Legacy, Uki(bzimage)));
  Write(folder, "profiles",
        kdumpkit::MakeEfiProgram({{".linux", Pack(Compression::kZstd, bzimage), {}},
                                  {".profile", "ID=a", {}},
                                  {".cmdline", "first", {}},
                                  {".profile", "ID=b", {}},
                                  {".cmdline", "second", {}}}));
  return 0;
}
