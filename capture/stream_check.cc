// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/stream_check.h"

#include <algorithm>

namespace kdumpkit {
namespace {

// "makedumpfile", type 1, version 1; the first record's head begins at 4096.
constexpr size_t kHead = 32;
constexpr size_t kHeaderSize = 4096;
constexpr std::string_view kSignature("makedumpfile\0\0\0\0", 16);
// The last record: offset and size are -1.
constexpr size_t kTail = 16;

}  // namespace

void StreamCheck::Feed(ByteView bytes) {
  size_ += bytes.size();
  if (head_.size() < kHead) {
    ByteView more = bytes.first(std::min(kHead - head_.size(), bytes.size()));
    head_.insert(head_.end(), more.begin(), more.end());
  }
  ByteView last = bytes.last(std::min(kTail, bytes.size()));
  tail_.insert(tail_.end(), last.begin(), last.end());
  if (tail_.size() > kTail) tail_.erase(tail_.begin(), tail_.end() - kTail);
}

Status StreamCheck::Check() const {
  ByteReader head(head_, ByteOrder::kBig, "the stream");
  if (size_ < kHeaderSize + kTail) return Truncated("the stream has {} bytes and no dump", size_);
  bool begins =
      AsText(head_).starts_with(kSignature) && TRY(head.U64(16)) == 1 && TRY(head.U64(24)) == 1;
  if (!begins) return Malformed("the stream does not begin as a flattened dump");
  bool ends = std::all_of(tail_.begin(), tail_.end(),
                          [](std::byte byte) { return byte == std::byte{0xff}; });
  if (!ends) return Truncated("the stream ends early, after {} bytes", size_);
  return {};
}

}  // namespace kdumpkit
