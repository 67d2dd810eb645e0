// SPDX-License-Identifier: GPL-2.0-or-later
// Compressed files: known by their first bytes, unpacked with a bound.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace kdumpkit {

enum class Compression {
  kGzip,
  kXz,
  kZstd,
  kBzip2,
  kLz4,        // the frame format
  kLz4Legacy,  // "lz4 -l", which Linux builds its kernels with
  kLzma,       // "lzma alone", the format before xz
};

// No kernel comes near this; what unpacks to more is refused.
inline constexpr size_t kMaxUnpackedSize = size_t{1} << 30;

// "gzip"; both lz4 formats are "lz4".
std::string_view CompressionName(Compression compression);

// `head` is the beginning of the file. An lzma file has no magic number: its 13 bytes of header
// must all be as its encoders write them.
std::optional<Compression> DetectCompression(ByteView head);

// All that `data` unpacks to: one stream after the other, as long as the next one begins behind the
// last with nothing but zero bytes between. Anything else behind a stream is ignored (padding, a
// signature, the size that the build of Linux appends). Memory is taken as data comes out of the
// decoder, whatever the headers promise. The error tells the offset in `data`; more than `limit`
// bytes are kUnsupported.
Result<ByteBuffer> Decompress(ByteView data, Compression compression,
                              size_t limit = kMaxUnpackedSize);

}  // namespace kdumpkit
