// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/zboot.h"

#include <algorithm>
#include <string_view>

namespace kdumpkit {
namespace {

constexpr uint64_t kMagicOffset = 4;          // "zimg", behind "MZ\0\0"
constexpr uint64_t kPayloadOffsetField = 8;   // u32, from the beginning of the file
constexpr uint64_t kPayloadSizeField = 12;    // u32, without the appended size of the contents
constexpr uint64_t kCompressionField = 0x18;  // name, ends with NUL
constexpr uint64_t kCompressionEnd = 0x38;    // what follows the name

// The names are those of the tools' rules in Linux scripts/Makefile.lib; the first ones are in use.
struct CompressionType {
  std::string_view name;
  std::string_view format;  // as CompressionName() spells it
};
constexpr CompressionType kTypes[] = {
    {"gzip", "gzip"},   {"lz4", "lz4"}, {"lzma", "lzma"}, {"xzkern", "xz"},
    {"zstd22", "zstd"}, {"xz", "xz"},   {"zstd", "zstd"}, {"bzip2", "bzip2"},
};

Result<std::string_view> FormatOfType(std::string_view type) {
  for (const CompressionType& known : kTypes)
    if (known.name == type) return known.format;
  return Unsupported("its kernel is packed with '{}', which cannot be unpacked here", type);
}

// The name, for messages: no more than the printable characters before its end.
std::string_view TypeText(ByteView field) {
  std::string_view text = AsText(field);
  auto end = std::find_if(text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7e; });
  return text.substr(0, static_cast<size_t>(end - text.begin()));
}

}  // namespace

bool IsZbootImage(ByteView head) {
  std::string_view text = AsText(head);
  return text.starts_with("MZ") &&
         text.substr(std::min<size_t>(kMagicOffset, text.size())).starts_with("zimg");
}

Result<ByteBuffer> UnpackZbootImage(ByteView file, size_t limit) {
  ByteReader reader(file, ByteOrder::kLittle, "EFI zboot image");
  uint64_t offset = TRY(reader.U32(kPayloadOffsetField));
  uint64_t size = TRY(reader.U32(kPayloadSizeField));
  ByteView field = TRY(reader.Bytes(kCompressionField, kCompressionEnd - kCompressionField));
  std::string_view format = TRY(FormatOfType(TypeText(field)));
  ByteView payload = TRY(reader.Bytes(offset, size));
  std::optional<Compression> compression = DetectCompression(payload);
  if (!compression || CompressionName(*compression) != format)
    return Malformed("its payload at offset {:#x} is not {} data, as the header says", offset,
                     format);
  return Decompress(payload, *compression, limit)
      .In(fmt::format("its payload at offset {:#x}", offset));
}

}  // namespace kdumpkit
