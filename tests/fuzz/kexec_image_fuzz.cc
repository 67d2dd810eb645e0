// SPDX-License-Identifier: GPL-2.0-or-later
// Kernel files. The first byte of the input picks a good file to damage, the next two say where,
// the rest is XORed over it from there; any other first byte makes the input the whole file.
#include <cstdint>

#include "kexec/kernel_image.h"
#include "tests/kexec/image_builder.h"

namespace {

std::string BaseFile(uint8_t choice) {
  switch (choice) {
    case 'B':
      return kdumpkit::MakeBzImage();
    case 'U':
      return kdumpkit::MakeEfiHeader({".osrel", ".cmdline", ".linux"}, "", true);
    case 'Z':
      return kdumpkit::MakeEfiHeader({".text", ".data"}, "zimg");
    case 'A':
      return kdumpkit::MakeArm64Image();
    case 'E':
      return kdumpkit::MakeElf(62);
    default:
      return "";
  }
}

std::string MakeFile(const uint8_t* data, size_t size) {
  std::string file = size > 0 ? BaseFile(data[0]) : "";
  if (file.empty()) return std::string(data, data + size);
  // Printable characters reach every offset below 1024, so that a corpus can be text.
  size_t start = size > 2 ? (data[1] & 0x3fu) * size_t{16} + (data[2] & 0xfu) : 0;
  for (size_t i = 3; i < size && start + i - 3 < file.size(); ++i)
    file[start + i - 3] = static_cast<char>(file[start + i - 3] ^ data[i]);
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string file = MakeFile(data, size);
  // A copy of exactly this size, so that a read past its end is seen.
  kdumpkit::ByteBuffer bytes(kdumpkit::AsBytes(file).begin(), kdumpkit::AsBytes(file).end());
  kdumpkit::KernelImage image = kdumpkit::DetectKernelImage(bytes, bytes.size());
  CHECK(!image.description.empty());
  CHECK((image.kind == kdumpkit::ImageKind::kBzImage) == image.bzimage.has_value());
  CHECK((image.kind == kdumpkit::ImageKind::kArm64Image) == image.arm64.has_value());
  // What is loadable is at least as long as the kernel's own loader will read.
  if (kdumpkit::CheckLoadable(image, "file", "x86_64"))
    CHECK(image.bzimage->file_size <= bytes.size() && bytes.size() >= 1024);
  if (kdumpkit::CheckLoadable(image, "file", "aarch64"))
    CHECK(image.arm64->file_size <= bytes.size() && bytes.size() >= 64);
  return 0;
}
