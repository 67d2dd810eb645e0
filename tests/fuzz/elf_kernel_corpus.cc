// SPDX-License-Identifier: GPL-2.0-or-later
// Writes a vmlinux of either byte order.
#include <filesystem>
#include <fstream>

#include "tests/kexec/image_builder.h"

int main(int argc, char** argv) {
  if (argc != 2) return 1;
  std::filesystem::create_directories(argv[1]);
  for (bool big_endian : {false, true}) {
    kdumpkit::ElfFields fields = kdumpkit::VmlinuxFields();
    fields.big_endian = big_endian;
    std::ofstream(std::string(argv[1]) + (big_endian ? "/big" : "/little"), std::ios::binary)
        << kdumpkit::MakeElfKernel(fields);
  }
  return 0;
}
