// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/flattened_stream.h"

#include <array>

#include "base/file.h"
#include "dumpfile/flattened_format.h"

namespace kdumpkit {

FlattenedStream::FlattenedStream(int fd) : fd_(fd), header_(EncodeFlattenedHeader({})) {}

void FlattenedStream::Announce(ByteView beginning) { header_ = EncodeFlattenedHeader(beginning); }

Status FlattenedStream::WriteRecord(uint64_t offset, uint64_t size, ByteView bytes) {
  std::array<std::byte, kFlattenedRecordSize> header;
  EncodeFlattenedRecord(offset, size, header);
  std::lock_guard lock(mutex_);
  if (!begun_) TRY(WriteFully(fd_, header_));
  begun_ = true;
  TRY(WriteFully(fd_, header));
  return WriteFully(fd_, bytes);
}

Status FlattenedStream::WriteAt(FileOffset offset, ByteView bytes) {
  if (bytes.empty()) return {};
  return WriteRecord(offset.value, bytes.size(), bytes);
}

Status FlattenedStream::End() { return WriteRecord(kFlattenedEnd, kFlattenedEnd, {}); }

}  // namespace kdumpkit
