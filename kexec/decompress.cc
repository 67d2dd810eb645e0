// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/decompress.h"

#include <bit>

#include "kexec/unpackers.h"

namespace kdumpkit {
namespace {

using namespace std::string_view_literals;

struct Format {
  Compression compression;
  std::string_view name;
  std::string_view magic;  // empty: see LooksLike...()
  Result<size_t> (*unpack)(ByteView data, size_t at, UnpackedBytes& out);
};
// In the order of Compression.
constexpr Format kFormats[] = {
    {Compression::kGzip, "gzip", "\x1f\x8b\x08"sv, UnpackGzip},
    {Compression::kXz, "xz",
     "\xfd"
     "7zXZ\0"sv,
     UnpackXz},
    {Compression::kZstd, "zstd", "\x28\xb5\x2f\xfd"sv, UnpackZstd},
    {Compression::kBzip2, "bzip2", "", UnpackBzip2},
    {Compression::kLz4, "lz4", "\x04\x22\x4d\x18"sv, UnpackLz4},
    {Compression::kLz4Legacy, "lz4", kLz4LegacyMagic, UnpackLz4Legacy},
    {Compression::kLzma, "lzma", "", UnpackLzma},
};

const Format& FormatOf(Compression compression) {
  const Format& format = kFormats[static_cast<size_t>(compression)];
  CHECK(format.compression == compression);
  return format;
}

// "BZh", the block size as a digit, and the magic number of a block or of the end.
bool LooksLikeBzip2(std::string_view head) {
  if (head.size() < 10 || !head.starts_with("BZh") || head[3] < '1' || head[3] > '9') return false;
  std::string_view block = head.substr(4, 6);
  return block == "1AY&SY" || block == "\x17\x72\x45\x38\x50\x90"sv;
}

// 2^n or 2^n + 2^(n-1), at least 4 KiB, or all ones: the sizes xz takes without asking back.
bool IsDictionarySize(uint32_t size) {
  if (size == UINT32_MAX) return true;
  uint32_t lowest_bit = size & (0u - size);
  return size >= 4096 && (std::has_single_bit(size) || size == lowest_bit * 3);
}

// Layout: doc/lzma-file-format.txt of xz. Properties (pb * 5 + lp) * 9 + lc, dictionary size, size
// of the contents or all ones; the coded data always begin with a zero byte.
bool LooksLikeLzma(ByteView head) {
  constexpr size_t kHeaderSize = 13;
  constexpr uint64_t kMaxSize = uint64_t{1} << 38;  // xz's own limit of a believable size
  ByteReader reader(head, ByteOrder::kLittle, "lzma header");
  if (head.size() <= kHeaderSize || *reader.U8(kHeaderSize) != 0) return false;
  unsigned properties = *reader.U8(0);
  uint64_t size = *reader.U64(5);
  bool good_properties = properties < 9 * 5 * 5 && properties % 9 + properties / 9 % 5 <= 4;
  bool good_size = size == UINT64_MAX || (size > 0 && size < kMaxSize);
  return good_properties && good_size && IsDictionarySize(*reader.U32(1));
}

size_t SkipZeros(ByteView data, size_t at) {
  while (at < data.size() && data[at] == std::byte{0}) ++at;
  return at;
}

}  // namespace

std::string_view CompressionName(Compression compression) { return FormatOf(compression).name; }

std::optional<Compression> DetectCompression(ByteView head) {
  for (const Format& format : kFormats)
    if (!format.magic.empty() && AsText(head).starts_with(format.magic)) return format.compression;
  if (LooksLikeBzip2(AsText(head))) return Compression::kBzip2;
  if (LooksLikeLzma(head)) return Compression::kLzma;
  return std::nullopt;
}

Result<ByteBuffer> Decompress(ByteView data, Compression compression, size_t limit) {
  UnpackedBytes out(limit);
  size_t at = 0;
  do {
    at = SkipZeros(data, TRY(FormatOf(compression).unpack(data, at, out)));
    // What stands behind lzma data can look like an lzma header by chance.
  } while (compression != Compression::kLzma && DetectCompression(data.subspan(at)) == compression);
  return std::move(out).Take();
}

}  // namespace kdumpkit
