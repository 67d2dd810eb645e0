// SPDX-License-Identifier: GPL-2.0-or-later
// The page codecs of the kdump-compressed format.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace kdumpkit {

enum class Codec : uint8_t { kNone, kZlib, kLzo, kSnappy, kZstd };

// page_desc.flags and header status bits of the format (DUMP_DH_COMPRESSED_*): 1 zlib, 2 lzo,
// 4 snappy, 0x20 zstd, 0 none.
uint32_t CodecFlag(Codec codec);
bool IsCodecFlag(uint32_t flags);
std::string_view CodecName(Codec codec);  // "zlib", "lzo", "snappy", "zstd", "none"

// The levels that a codec can have: libdeflate's and libzstd's. None for those without.
struct CodecLevels {
  int lowest = 0;
  int highest = 0;
};
std::optional<CodecLevels> LevelsOf(Codec codec);
inline constexpr int kFastestLevel = 1;

// Compresses pages; one per thread. Its memory is allocated once, by
// the factory (libsnappy alone allocates its own, some 20 KiB, in every call).
class Compressor {
 public:
  // `page_size`: bytes of every page. Fails (kSystem, ENOMEM) when there is not enough memory.
  // `level`: one that the codec has; of no meaning to a codec without.
  static Result<std::unique_ptr<Compressor>> Make(Codec codec, size_t page_size,
                                                  int level = kFastestLevel);
  virtual ~Compressor() = default;
  // Bytes that Compress may write at most.
  virtual size_t bound() const = 0;
  // Compresses one page into `out` (at least bound() bytes). Returns the compressed size, or 0
  // when the page does not shrink and is to be stored raw.
  virtual size_t Compress(ByteView page, ByteSpan out) = 0;
};

// Decompresses pages; one per thread. Keeps the libraries' working memory from call to call.
class Decompressor {
 public:
  Decompressor();
  Decompressor(Decompressor&&) noexcept;
  Decompressor& operator=(Decompressor&&) noexcept;
  ~Decompressor();

  // One page of exactly `out.size()` bytes; anything else is kMalformed. `flags` are those of its
  // page_desc. `out` is undefined after a failure.
  Status Decompress(uint32_t flags, ByteView data, ByteSpan out);

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
};

// The same for a single page.
Status Decompress(uint32_t flags, ByteView data, ByteSpan out);

}  // namespace kdumpkit
