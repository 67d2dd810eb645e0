// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/limited_sink.h"

#include <cerrno>

#include "dumpfile/flattened_format.h"

namespace kdumpkit {
namespace {

// The dump's own header takes one page, and no machine has larger ones.
constexpr uint64_t kMostHeader = uint64_t{64} << 10;
// What a stream begins and ends with: the record of the dump's own header comes last.
constexpr uint64_t kStreamEnds =
    kFlattenedHeaderSize + kFlattenedRecordSize + kMostHeader + kFlattenedRecordSize;

}  // namespace

Status LimitedSink::Passed() const {
  return Error(ErrorKind::kSystem, EFBIG, fmt::format("the limit of {} bytes is reached", limit_));
}

bool LimitedSink::TakeFromStream(FileOffset offset, uint64_t size) {
  std::lock_guard lock(mutex_);
  if (limit_ < kStreamEnds) return false;
  if (offset.value == 0) return true;
  uint64_t room = limit_ - kStreamEnds - streamed_;
  if (room < kFlattenedRecordSize || size > room - kFlattenedRecordSize) return false;
  streamed_ += kFlattenedRecordSize + size;
  return true;
}

Status LimitedSink::WriteAt(FileOffset offset, ByteView bytes) {
  if (bytes.empty()) return {};
  bool fits = rewritable() ? offset.value <= limit_ && bytes.size() <= limit_ - offset.value
                           : TakeFromStream(offset, bytes.size());
  return fits ? sink_->WriteAt(offset, bytes) : Passed();
}

Status LimitedSink::Reserve(FileOffset start, FileOffset end) {
  if (rewritable() && end.value > limit_) return Passed();
  return sink_->Reserve(start, end);
}

}  // namespace kdumpkit
