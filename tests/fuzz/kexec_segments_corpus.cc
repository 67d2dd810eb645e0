// SPDX-License-Identifier: GPL-2.0-or-later
// Files of /proc and /sys, each behind the letter that kexec_segments_fuzz knows it by.
#include <filesystem>
#include <fstream>

#include "tests/kexec/segment_machine.h"

using namespace kdumpkit;

int main(int, char** argv) {
  std::string folder = argv[1];
  std::filesystem::create_directories(folder);
  auto write = [&](const char* name, char letter, const std::string& text) {
    std::ofstream(folder + "/" + name, std::ios::binary) << letter << text;
  };
  write("iomem", 'i',
        "1000-9ffff : System RAM\n100000-7ffdffff : System RAM\n 1000000-1ffffff : Kernel code\n"
        "  6e000000-7dffffff : Crash kernel\n7ffe0000-7fffffff : Reserved\n");
  write("kcore", 'k', MakeKcore(0xffffffff81000000, 0x1000000, 0x3430000, 0xff24e05540000000));
  write("cmdline", 'c', "add_efi_memmap nokaslr");
  write("vmcoreinfo", 'v', "0x0000000004200000 1024\n");
  write("memmap", 'm', "0x7ffdffff\n");
  write("notes", 'n', "7f85d200\n");
  write("cma", 'r', "10000000-1fffffff\n30000000-3fffffff\n");
  write("runtime", 'e', "0xfffffffeffeed000\n");
  write("systab", 's', "ACPI20=0x7fb7e014\nSMBIOS=0x7f918000\n");
  return 0;
}
