// SPDX-License-Identifier: GPL-2.0-or-later
// One compressed stream of each format, unpacked by its library. decompress.h puts streams
// together to files.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace kdumpkit {

// What comes out of the decoders; grows with it.
class UnpackedBytes {
 public:
  explicit UnpackedBytes(size_t limit) : limit_(limit) {}

  // Memory for what comes next, never empty; an error (kUnsupported) once there is more than the
  // limit. Valid until the next call of any member.
  Result<ByteSpan> Room();
  // The first `size` bytes of the room are filled.
  void Commit(size_t size) { size_ += size; }
  Status Append(ByteView bytes);
  size_t size() const { return size_; }
  // All of it; an error when it is more than the limit.
  Result<ByteBuffer> Take() &&;

 private:
  Status CheckLimit() const;

  size_t limit_;
  size_t size_ = 0;
  ByteBuffer bytes_;  // the first size_ are filled
};

inline constexpr std::string_view kLz4LegacyMagic = "\x02\x21\x4c\x18";

// Each unpacks the stream that begins at `at` in `data`, and returns where it ends. An error tells
// the offset, and leaves in `out` what was unpacked before.
Result<size_t> UnpackGzip(ByteView data, size_t at, UnpackedBytes& out);
Result<size_t> UnpackXz(ByteView data, size_t at, UnpackedBytes& out);
Result<size_t> UnpackLzma(ByteView data, size_t at, UnpackedBytes& out);
Result<size_t> UnpackZstd(ByteView data, size_t at, UnpackedBytes& out);
Result<size_t> UnpackBzip2(ByteView data, size_t at, UnpackedBytes& out);
Result<size_t> UnpackLz4(ByteView data, size_t at, UnpackedBytes& out);
Result<size_t> UnpackLz4Legacy(ByteView data, size_t at, UnpackedBytes& out);

}  // namespace kdumpkit
