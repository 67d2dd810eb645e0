// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/kexec/image_builder.h"

#include <algorithm>

#include "base/bytes.h"

namespace kdumpkit {
namespace {

constexpr size_t kPeOffset = 0x40;
constexpr size_t kOptionalHeader = kPeOffset + 24;
constexpr size_t kOptionalHeaderSize = 0xa0;
constexpr size_t kSectionHeaderSize = 40;
constexpr size_t kFileAlignment = 512;
constexpr size_t kVersionOffset = 0x400;
constexpr size_t kCertificateSize = 1472;
constexpr size_t kElfHeaderSize = 64;
constexpr size_t kProgramHeaderSize = 56;

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

void PadTo(std::string& file, size_t alignment) {
  file.resize((file.size() + alignment - 1) / alignment * alignment);
}

void AddPeHeader(std::string& file, size_t section_count, const EfiProgramFields& fields = {}) {
  SetText(file, 0, "MZ");
  Set<uint32_t>(file, 0x3c, kPeOffset);
  SetText(file, kPeOffset, std::string_view("PE\0\0", 4));
  Set<uint16_t>(file, kPeOffset + 4, fields.machine);
  Set<uint16_t>(file, kPeOffset + 6, static_cast<uint16_t>(section_count));
  Set<uint16_t>(file, kPeOffset + 20, kOptionalHeaderSize);
  Set<uint16_t>(file, kOptionalHeader, fields.pe32_plus ? 0x20b : 0x10b);
  Set<uint16_t>(file, kOptionalHeader + 68, fields.subsystem);
  Set<uint32_t>(file, kOptionalHeader + (fields.pe32_plus ? 108 : 92), 6);  // data directories
  size_t end = EfiSectionHeaderOffset(section_count);
  if (file.size() < end) file.resize(end);
}

void AddSectionHeader(std::string& file, size_t index, const EfiSection& section,
                      size_t raw_offset) {
  size_t at = EfiSectionHeaderOffset(index);
  size_t size = section.contents.size();
  SetText(file, at, section.name);
  Set<uint32_t>(file, at + 8, section.virtual_size.value_or(static_cast<uint32_t>(size)));
  Set<uint32_t>(file, at + 12, static_cast<uint32_t>(raw_offset));
  Set<uint32_t>(file, at + 16,
                static_cast<uint32_t>((size + kFileAlignment - 1) / kFileAlignment * 512));
  Set<uint32_t>(file, at + 20, static_cast<uint32_t>(size == 0 ? 0 : raw_offset));
}

// A WIN_CERTIFICATE whose contents nobody could verify.
void AddCertificate(std::string& file, bool pe32_plus = true) {
  PadTo(file, 8);
  size_t at = file.size();
  size_t directory = kOptionalHeader + (pe32_plus ? 112 : 96) + 4 * 8;
  Set<uint32_t>(file, directory, static_cast<uint32_t>(at));
  Set<uint32_t>(file, directory + 4, kCertificateSize);
  file.resize(at + kCertificateSize, 's');
  Set<uint32_t>(file, at, kCertificateSize);
  Set<uint16_t>(file, at + 4, 0x0200);
  Set<uint16_t>(file, at + 6, 0x0002);
}

void AddProgramHeader(std::string& file, size_t at, const ElfPiece& piece, size_t contents_at,
                      ByteOrder order) {
  Set<uint32_t>(file, at, piece.type, order);
  Set<uint64_t>(file, at + 8, piece.file_offset.value_or(contents_at), order);
  Set<uint64_t>(file, at + 16, piece.vaddr, order);
  Set<uint64_t>(file, at + 24, piece.paddr, order);
  Set<uint64_t>(file, at + 32, piece.file_size.value_or(piece.contents.size()), order);
  Set<uint64_t>(file, at + 40, piece.memory_size.value_or(piece.contents.size()), order);
}

}  // namespace

std::string MakeBzImage(const BzImageFields& fields) {
  size_t setup = (fields.setup_sectors == 0 ? 5u : fields.setup_sectors + 1u) * 512u;
  std::string file(setup + fields.payload_paragraphs * size_t{16}, '\0');
  if (fields.efi_stub) {
    AddPeHeader(file, 2);
    AddSectionHeader(file, 0, {".setup", "", {}}, 0);
    AddSectionHeader(file, 1, {".text", "", {}}, 0);
  }
  Set<uint8_t>(file, 0x1f1, fields.setup_sectors);
  Set<uint32_t>(file, 0x1f4, fields.payload_paragraphs);
  Set<uint16_t>(file, 0x1fe, fields.boot_flag);
  SetText(file, 0x200, "\xeb\x6a");  // a jump over the header: it ends at 0x26c
  SetText(file, 0x202, fields.magic);
  Set<uint16_t>(file, 0x206, fields.protocol);
  Set<uint16_t>(file, 0x20e, kVersionOffset - 0x200);
  Set<uint8_t>(file, 0x211, fields.loadflags);
  Set<uint32_t>(file, 0x230, fields.kernel_alignment);
  Set<uint8_t>(file, 0x234, fields.relocatable);
  Set<uint16_t>(file, 0x236, fields.xloadflags);
  Set<uint32_t>(file, 0x238, fields.command_line_size);
  Set<uint64_t>(file, 0x258, fields.preferred_address);
  Set<uint32_t>(file, 0x260, fields.init_size);
  SetText(file, kVersionOffset, fields.version);
  if (fields.is_signed) AddCertificate(file);
  return file;
}

size_t EfiSectionHeaderOffset(size_t index) {
  return kOptionalHeader + kOptionalHeaderSize + index * kSectionHeaderSize;
}

std::string MakeEfiProgram(const std::vector<EfiSection>& sections,
                           const EfiProgramFields& fields) {
  std::string file;
  AddPeHeader(file, sections.size(), fields);
  for (size_t i = 0; i < sections.size(); ++i) {
    PadTo(file, kFileAlignment);
    AddSectionHeader(file, i, sections[i], file.size());
    file += sections[i].contents;
  }
  PadTo(file, kFileAlignment);
  if (fields.is_signed) AddCertificate(file, fields.pe32_plus);
  return file;
}

std::string MakeEfiHeader(const std::vector<std::string>& names, std::string_view text_at_4,
                          bool is_signed) {
  std::vector<EfiSection> sections;
  sections.reserve(names.size());
  for (const std::string& name : names) sections.push_back({name, "", {}});
  EfiProgramFields fields;
  fields.is_signed = is_signed;
  std::string file = MakeEfiProgram(sections, fields);
  SetText(file, 4, text_at_4);
  return file;
}

std::string MakeZbootImage(std::string_view payload, std::string_view compression) {
  std::string file = MakeEfiProgram({{".text", std::string(payload), {}}}, {.machine = 0xaa64});
  SetText(file, 4, "zimg");
  Set<uint32_t>(file, 8, kFileAlignment);
  Set<uint32_t>(file, 12, static_cast<uint32_t>(payload.size()));
  SetText(file, 24, compression);
  return file;
}

std::string MakeArm64Image(const Arm64ImageFields& fields) {
  std::string file(64, '\0');
  if (fields.efi_stub)
    file = MakeEfiProgram(
        {{".text", std::string(1000, 't'), {}}, {".data", std::string(600, 'd'), 9000}},
        {.machine = 0xaa64});
  Set<uint64_t>(file, 8, fields.text_offset);
  Set<uint64_t>(file, 16, fields.image_size);
  Set<uint64_t>(file, 24, fields.flags);
  SetText(file, 56, "ARM\x64");
  return file;
}

std::string MakeElf(uint16_t machine, bool big_endian) {
  ByteOrder order = big_endian ? ByteOrder::kBig : ByteOrder::kLittle;
  std::string file(kElfHeaderSize, '\0');
  SetText(file, 0,
          "\x7f"
          "ELF");
  Set<uint8_t>(file, 4, 2);
  Set<uint8_t>(file, 5, big_endian ? 2 : 1);
  Set<uint16_t>(file, 16, 2, order);
  Set<uint16_t>(file, 18, machine, order);
  return file;
}

std::string MakeElfKernel(const ElfFields& fields) {
  ByteOrder order = fields.big_endian ? ByteOrder::kBig : ByteOrder::kLittle;
  std::string file = MakeElf(fields.machine, fields.big_endian);
  Set<uint16_t>(file, 16, fields.type, order);
  Set<uint64_t>(file, 24, fields.entry, order);
  Set<uint64_t>(file, 32, kElfHeaderSize, order);
  Set<uint16_t>(file, 54, kProgramHeaderSize, order);
  Set<uint16_t>(file, 56, static_cast<uint16_t>(fields.pieces.size()), order);
  file.resize(kElfHeaderSize + fields.pieces.size() * kProgramHeaderSize);
  size_t header = kElfHeaderSize;
  for (const ElfPiece& piece : fields.pieces) {
    PadTo(file, 16);
    AddProgramHeader(file, header, piece, file.size(), order);
    file += piece.contents;
    header += kProgramHeaderSize;
  }
  return file;
}

ElfFields VmlinuxFields() {
  constexpr uint64_t kText = 0xffffffff81000000;
  ElfFields fields;
  fields.pieces.push_back({0x1000000, std::string(0x300, 't'), kText, {}, {}, {}});
  fields.pieces.push_back({0x2000000, std::string(0x80, 'd'), kText + 0x1000000, {}, {}, {}});
  fields.pieces.push_back({0x2100000, std::string(0x20, 'p'), 0, {}, {}, {}});
  fields.pieces.push_back({0x2200000, std::string(0x40, 'i'), kText + 0x1200000, 0x5000, {}, {}});
  fields.pieces.push_back({0x1000100, "note", kText + 0x100, {}, {}, {}, 4});
  return fields;
}

}  // namespace kdumpkit
