// SPDX-License-Identifier: GPL-2.0-or-later
// Small core files: one as Linux writes it, one big-endian, one of 32 bits, one with the headers
// where QEMU has them and its program headers counted in a section header.
#include <filesystem>

#include "tests/support/vmcore_builder.h"

using namespace kdumpkit;

namespace {

VmcoreBuilder Sample(ByteOrder order) {
  VmcoreBuilder builder(order);
  builder.layout().page_size = 16;
  builder.AddCpu().AddVmcoreinfo("OSRELEASE=6.12.0\nPAGESIZE=4096\n");
  builder.AddSegment(PhysAddr(0x1010), VirtAddr(0xffffffff81000000), PatternBytes(32, 1));
  builder.AddSegment(PhysAddr(0x1000), VirtAddr(0xffff888000001000), PatternBytes(64, 1), 96);
  return builder;
}

}  // namespace

int main(int, char** argv) {
  std::string folder = argv[1];
  std::filesystem::create_directories(folder);
  Sample(ByteOrder::kLittle).WriteTo(folder + "/linux");
  Sample(ByteOrder::kBig).WriteTo(folder + "/big_endian");
  VmcoreBuilder narrow = Sample(ByteOrder::kBig);
  narrow.layout().narrow = true;
  narrow.WriteTo(folder + "/narrow");
  VmcoreBuilder qemu = Sample(ByteOrder::kLittle);
  qemu.layout().sections_first = true;
  qemu.layout().extended_numbering = true;
  qemu.WriteTo(folder + "/qemu");
  return 0;
}
