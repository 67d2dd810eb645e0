// SPDX-License-Identifier: GPL-2.0-or-later
// Beginnings of kernel files, made field by field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kdumpkit {

// A bzImage as Debian's kernels look, small: every field can be set to something else.
struct BzImageFields {
  uint8_t setup_sectors = 3;
  uint32_t payload_paragraphs = 64;  // syssize: units of 16 bytes
  uint16_t boot_flag = 0xaa55;
  std::string magic = "HdrS";
  uint16_t protocol = 0x020f;
  uint8_t loadflags = 0x01;
  uint16_t xloadflags = 0x007f;
  uint32_t kernel_alignment = 0x200000;
  uint32_t command_line_size = 2047;
  uint32_t init_size = 48u << 20;
  std::string version = "6.1.0-50-amd64 (maker@host) #1 SMP";
  bool efi_stub = true;
  bool is_signed = false;
};
// Exactly as long as its header announces.
std::string MakeBzImage(const BzImageFields& fields = {});

// An EFI program with these sections; `text_at_4` goes to offset 4 ("zimg" of a zboot image).
std::string MakeEfiProgram(const std::vector<std::string>& sections,
                           std::string_view text_at_4 = "", bool is_signed = false);

// An ELF header of 64 bits.
std::string MakeElf(uint16_t machine, bool big_endian = false);

}  // namespace kdumpkit
