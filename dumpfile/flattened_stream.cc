// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/flattened_stream.h"

#include <algorithm>
#include <array>

#include "base/file.h"
#include "dumpfile/flattened_format.h"

namespace kdumpkit {
namespace {

ByteBuffer StreamHeader() {
  ByteBuffer header(kFlattenedHeaderSize);
  std::copy(AsBytes(kFlattenedSignature).begin(), AsBytes(kFlattenedSignature).end(),
            header.begin());
  StoreUnchecked(header.data() + kFlattenedTypeOffset, kFlattenedType, ByteOrder::kBig);
  StoreUnchecked(header.data() + kFlattenedVersionOffset, kFlattenedVersion, ByteOrder::kBig);
  return header;
}

}  // namespace

Status FlattenedStream::WriteRecord(uint64_t offset, uint64_t size, ByteView bytes) {
  std::array<std::byte, kFlattenedRecordHeaderSize> header;
  StoreUnchecked(header.data(), offset, ByteOrder::kBig);
  StoreUnchecked(header.data() + 8, size, ByteOrder::kBig);
  std::lock_guard lock(mutex_);
  if (!begun_) TRY(WriteFully(fd_, StreamHeader()));
  begun_ = true;
  TRY(WriteFully(fd_, header));
  return WriteFully(fd_, bytes);
}

Status FlattenedStream::WriteAt(FileOffset offset, ByteView bytes) {
  if (bytes.empty()) return {};
  return WriteRecord(offset.value, bytes.size(), bytes);
}

Status FlattenedStream::End() { return WriteRecord(kFlattenedEndMark, kFlattenedEndMark, {}); }

}  // namespace kdumpkit
