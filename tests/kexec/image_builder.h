// SPDX-License-Identifier: GPL-2.0-or-later
// Kernel files, made field by field.
#pragma once

#include <cstdint>
#include <optional>
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
  bool relocatable = true;
  uint64_t preferred_address = 16u << 20;
  std::string version = "6.1.0-50-amd64 (maker@host) #1 SMP";
  bool efi_stub = true;
  bool is_signed = false;  // a certificate table follows
};
// Exactly as long as its header announces, and the certificate table.
std::string MakeBzImage(const BzImageFields& fields = {});

// A section of an EFI program with its contents. The file has it padded to 512 bytes.
struct EfiSection {
  std::string name;
  std::string contents;
  std::optional<uint32_t> virtual_size;  // the size of the contents if absent
};
struct EfiProgramFields {
  uint16_t machine = 0x8664;
  uint16_t subsystem = 10;  // EFI application
  bool pe32_plus = true;
  bool is_signed = false;  // a certificate table follows
};
std::string MakeEfiProgram(const std::vector<EfiSection>& sections,
                           const EfiProgramFields& fields = {});
// One with empty sections of these names; `text_at_4` goes to offset 4.
std::string MakeEfiHeader(const std::vector<std::string>& names, std::string_view text_at_4 = "",
                          bool is_signed = false);
// Where the header of section `index` stands in a file of MakeEfiProgram.
size_t EfiSectionHeaderOffset(size_t index);

// An EFI zboot image with this payload, and "compression" as its header names it.
std::string MakeZbootImage(std::string_view payload, std::string_view compression);

// A little-endian arm64 Image of Linux 6.1, small.
struct Arm64ImageFields {
  uint64_t text_offset = 0;
  uint64_t image_size = 32u << 20;
  uint64_t flags = 0x0a;  // little-endian, 4 KiB pages, anywhere in memory
  bool efi_stub = true;
};
std::string MakeArm64Image(const Arm64ImageFields& fields = {});

// An ELF header of 64 bits.
std::string MakeElf(uint16_t machine, bool big_endian = false);

// A program header and what it loads. By default the contents stand in the file, and memory_size is
// their size.
struct ElfPiece {
  uint64_t paddr = 0;
  std::string contents;
  uint64_t vaddr = 0;
  std::optional<uint64_t> memory_size;
  std::optional<uint64_t> file_size;
  std::optional<uint64_t> file_offset;
  uint32_t type = 1;  // PT_LOAD
};
struct ElfFields {
  uint16_t machine = 62;
  uint16_t type = 2;
  uint64_t entry = 0x1000000;
  bool big_endian = false;
  std::vector<ElfPiece> pieces;
};
std::string MakeElfKernel(const ElfFields& fields);
// A vmlinux as x86_64 links it: text, data with .bss behind, the per-CPU area at virtual address 0,
// and a PT_NOTE.
ElfFields VmlinuxFields();

}  // namespace kdumpkit
