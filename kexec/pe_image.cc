// SPDX-License-Identifier: GPL-2.0-or-later
// Layout: Microsoft PE/COFF specification, sections "COFF File Header" to "Section Table".
#include "kexec/pe_image.h"

#include <algorithm>

namespace kdumpkit {
namespace {

constexpr uint64_t kPeOffsetField = 0x3c;  // in the DOS header: where "PE\0\0" stands
constexpr uint64_t kCoffHeaderSize = 24;   // with the four bytes of "PE\0\0"
constexpr uint64_t kSectionHeaderSize = 40;
constexpr uint16_t kMagicPe32 = 0x10b;
constexpr uint16_t kMagicPe32Plus = 0x20b;
constexpr uint64_t kSubsystemOffset = 68;  // in the optional header
constexpr uint64_t kCertificateTable = 4;  // number of its data directory

// Subsystem and certificate table; what the header is too short for stays 0.
Status ReadOptionalHeader(const ByteReader& reader, uint64_t header, uint16_t header_size,
                          PeImage& image) {
  uint16_t magic = TRY(reader.U16(header));
  if (magic != kMagicPe32 && magic != kMagicPe32Plus) return {};
  // Number of data directories, then the directories: {u32 address, u32 size} each.
  uint64_t count = header + (magic == kMagicPe32 ? 92 : 108);
  uint64_t directory = count + 4 + kCertificateTable * 8;
  if (directory + 8 > header + header_size) return {};
  image.subsystem = TRY(reader.U16(header + kSubsystemOffset));
  if (TRY(reader.U32(count)) <= kCertificateTable) return {};
  // The only directory whose address is an offset in the file.
  image.certificate_offset = TRY(reader.U32(directory));
  image.certificate_size = TRY(reader.U32(directory + 4));
  return {};
}

Result<PeSection> ReadSection(const ByteReader& reader, uint64_t at) {
  PeSection section;
  std::string_view name = AsText(TRY(reader.Bytes(at, 8)));
  section.name = name.substr(0, name.find('\0'));
  section.virtual_size = TRY(reader.U32(at + 8));
  section.virtual_address = TRY(reader.U32(at + 12));
  section.raw_size = TRY(reader.U32(at + 16));
  section.raw_offset = TRY(reader.U32(at + 20));
  TRY(reader.Bytes(at, kSectionHeaderSize));
  return section;
}

Result<PeImage> Parse(const ByteReader& reader) {
  if (TRY(reader.U16(0)) != 0x5a4d) return Malformed("no 'MZ'");
  uint64_t pe = TRY(reader.U32(kPeOffsetField));
  if (TRY(reader.U32(pe)) != 0x00004550) return Malformed("no 'PE'");
  PeImage image;
  image.machine = TRY(reader.U16(pe + 4));
  uint16_t section_count = TRY(reader.U16(pe + 6));
  uint16_t optional_header_size = TRY(reader.U16(pe + 20));
  uint64_t optional_header = pe + kCoffHeaderSize;
  // Headers that are cut still tell the machine.
  (void)ReadOptionalHeader(reader, optional_header, optional_header_size, image);
  uint64_t table = optional_header + optional_header_size;
  for (uint16_t i = 0; i < section_count; ++i) {
    Result<PeSection> section = ReadSection(reader, table + i * kSectionHeaderSize);
    if (!section) break;
    image.sections.push_back(*std::move(section));
  }
  return image;
}

}  // namespace

bool PeImage::IsSigned(uint64_t file_size) const {
  return certificate_size != 0 && certificate_offset <= file_size &&
         certificate_size <= file_size - certificate_offset;
}

uint64_t PeImage::SectionsEnd() const {
  uint64_t end = 0;
  for (const PeSection& section : sections)
    end = std::max(end, uint64_t{section.raw_offset} + section.raw_size);
  return end;
}

std::optional<PeImage> ParsePeImage(ByteView head) {
  Result<PeImage> image = Parse(ByteReader(head, ByteOrder::kLittle, "PE image"));
  if (!image) return std::nullopt;
  return *std::move(image);
}

Result<ByteView> SectionData(const PeSection& section, ByteView file) {
  ByteReader reader(file, ByteOrder::kLittle, fmt::format("section '{}'", section.name));
  return reader.Bytes(section.raw_offset, section.DataSize());
}

std::string PeMachineName(uint16_t machine) {
  switch (machine) {
    case 0x14c:
      return "i386";
    case 0x1c0:
    case 0x1c2:
    case 0x1c4:
      return "arm";
    case 0x5064:
      return "riscv64";
    case 0x6264:
      return "loongarch64";
    case 0x8664:
      return "x86_64";
    case 0xaa64:
      return "aarch64";
    default:
      return fmt::format("machine {:#x}", machine);
  }
}

}  // namespace kdumpkit
