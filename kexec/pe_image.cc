// SPDX-License-Identifier: GPL-2.0-or-later
// Layout: Microsoft PE/COFF specification, sections "COFF File Header" to "Section Table".
#include "kexec/pe_image.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kPeOffsetField = 0x3c;  // in the DOS header: where "PE\0\0" stands
constexpr uint64_t kCoffHeaderSize = 24;   // with the four bytes of "PE\0\0"
constexpr uint64_t kSectionHeaderSize = 40;
constexpr uint16_t kMagicPe32 = 0x10b;
constexpr uint16_t kMagicPe32Plus = 0x20b;
constexpr uint64_t kCertificateTable = 4;  // number of its data directory

// The size of the certificate table, 0 when there is none.
Result<uint32_t> CertificateTableSize(const ByteReader& reader, uint64_t optional_header,
                                      uint16_t optional_header_size) {
  uint16_t magic = TRY(reader.U16(optional_header));
  if (magic != kMagicPe32 && magic != kMagicPe32Plus) return 0u;
  // Number of data directories, then the directories: {u32 address, u32 size} each.
  uint64_t count_offset = magic == kMagicPe32 ? 92 : 108;
  uint32_t count = TRY(reader.U32(optional_header + count_offset));
  uint64_t size_offset = count_offset + 4 + kCertificateTable * 8 + 4;
  if (count <= kCertificateTable || size_offset + 4 > optional_header_size) return 0u;
  return reader.U32(optional_header + size_offset);
}

std::vector<std::string> SectionNames(const ByteReader& reader, uint64_t table, uint16_t count) {
  std::vector<std::string> names;
  for (uint16_t i = 0; i < count; ++i) {
    Result<ByteView> name = reader.Bytes(table + i * kSectionHeaderSize, 8);
    if (!name) break;
    std::string_view text = AsText(*name);
    names.emplace_back(text.substr(0, text.find('\0')));
  }
  return names;
}

Result<PeImage> Parse(const ByteReader& reader) {
  if (TRY(reader.U16(0)) != 0x5a4d) return Malformed("no 'MZ'");
  uint64_t pe = TRY(reader.U32(kPeOffsetField));
  if (TRY(reader.U32(pe)) != 0x00004550) return Malformed("no 'PE'");
  PeImage image;
  image.machine = TRY(reader.U16(pe + 4));
  uint16_t sections = TRY(reader.U16(pe + 6));
  uint16_t optional_header_size = TRY(reader.U16(pe + 20));
  uint64_t optional_header = pe + kCoffHeaderSize;
  Result<uint32_t> certificates =
      CertificateTableSize(reader, optional_header, optional_header_size);
  image.is_signed = certificates && *certificates != 0;
  image.sections = SectionNames(reader, optional_header + optional_header_size, sections);
  return image;
}

}  // namespace

std::optional<PeImage> ParsePeImage(ByteView head) {
  Result<PeImage> image = Parse(ByteReader(head, ByteOrder::kLittle, "PE image"));
  if (!image) return std::nullopt;
  return *std::move(image);
}

}  // namespace kdumpkit
