// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/kexec/image_builder.h"

#include <algorithm>

#include "base/bytes.h"

namespace kdumpkit {
namespace {

constexpr size_t kPeOffset = 0x40;
constexpr size_t kOptionalHeaderSize = 0xa0;
constexpr size_t kVersionOffset = 0x400;

void SetText(std::string& file, size_t offset, std::string_view text) {
  if (file.size() < offset + text.size()) file.resize(offset + text.size());
  std::copy(text.begin(), text.end(), file.begin() + static_cast<ptrdiff_t>(offset));
}

template <typename T>
void Set(std::string& file, size_t offset, T value, ByteOrder order = ByteOrder::kLittle) {
  ByteBuffer bytes(sizeof(T));
  StoreUnchecked<T>(bytes.data(), value, order);
  SetText(file, offset, AsText(bytes));
}

void AddPeHeader(std::string& file, const std::vector<std::string>& sections, bool is_signed) {
  SetText(file, 0, "MZ");
  Set<uint32_t>(file, 0x3c, kPeOffset);
  SetText(file, kPeOffset, std::string_view("PE\0\0", 4));
  Set<uint16_t>(file, kPeOffset + 4, 0x8664);
  Set<uint16_t>(file, kPeOffset + 6, static_cast<uint16_t>(sections.size()));
  Set<uint16_t>(file, kPeOffset + 20, kOptionalHeaderSize);
  size_t optional_header = kPeOffset + 24;
  Set<uint16_t>(file, optional_header, 0x20b);
  Set<uint32_t>(file, optional_header + 108, 6);  // data directories
  Set<uint32_t>(file, optional_header + 112 + 4 * 8 + 4, is_signed ? 1472 : 0);
  size_t at = optional_header + kOptionalHeaderSize;
  for (const std::string& section : sections) {
    SetText(file, at, section);
    at += 40;
  }
  if (file.size() < at) file.resize(at);
}

}  // namespace

std::string MakeBzImage(const BzImageFields& fields) {
  size_t setup = (fields.setup_sectors == 0 ? 5u : fields.setup_sectors + 1u) * 512u;
  std::string file(setup + fields.payload_paragraphs * size_t{16}, '\0');
  if (fields.efi_stub) AddPeHeader(file, {".setup", ".text"}, fields.is_signed);
  Set<uint8_t>(file, 0x1f1, fields.setup_sectors);
  Set<uint32_t>(file, 0x1f4, fields.payload_paragraphs);
  Set<uint16_t>(file, 0x1fe, fields.boot_flag);
  SetText(file, 0x202, fields.magic);
  Set<uint16_t>(file, 0x206, fields.protocol);
  Set<uint16_t>(file, 0x20e, kVersionOffset - 0x200);
  Set<uint8_t>(file, 0x211, fields.loadflags);
  Set<uint32_t>(file, 0x230, fields.kernel_alignment);
  Set<uint16_t>(file, 0x236, fields.xloadflags);
  Set<uint32_t>(file, 0x238, fields.command_line_size);
  Set<uint32_t>(file, 0x260, fields.init_size);
  SetText(file, kVersionOffset, fields.version);
  return file;
}

std::string MakeEfiProgram(const std::vector<std::string>& sections, std::string_view text_at_4,
                           bool is_signed) {
  std::string file;
  AddPeHeader(file, sections, is_signed);
  SetText(file, 4, text_at_4);
  return file;
}

std::string MakeElf(uint16_t machine, bool big_endian) {
  std::string file(64, '\0');
  SetText(file, 0,
          "\x7f"
          "ELF");
  Set<uint8_t>(file, 4, 2);
  Set<uint8_t>(file, 5, big_endian ? 2 : 1);
  Set<uint16_t>(file, 16, 2);
  Set<uint16_t>(file, 18, machine, big_endian ? ByteOrder::kBig : ByteOrder::kLittle);
  return file;
}

}  // namespace kdumpkit
