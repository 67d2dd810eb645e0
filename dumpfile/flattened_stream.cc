// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/flattened_stream.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/file.h"

namespace kdumpkit {
namespace {

// The header: signature, type and version, the rest zero. Numbers are big-endian on every machine.
constexpr size_t kHeaderSize = 4096;
constexpr std::string_view kSignature = "makedumpfile";
constexpr size_t kTypeOffset = 16;
constexpr size_t kVersionOffset = 24;
constexpr uint64_t kType = 1;
constexpr uint64_t kVersion = 1;
// A record's offset and size; all bits set in both end the stream.
constexpr size_t kRecordHeaderSize = 16;
constexpr uint64_t kEndMark = UINT64_MAX;

ByteBuffer StreamHeader() {
  ByteBuffer header(kHeaderSize);
  std::copy(AsBytes(kSignature).begin(), AsBytes(kSignature).end(), header.begin());
  StoreUnchecked(header.data() + kTypeOffset, kType, ByteOrder::kBig);
  StoreUnchecked(header.data() + kVersionOffset, kVersion, ByteOrder::kBig);
  return header;
}

}  // namespace

Status FlattenedStream::WriteRecord(uint64_t offset, uint64_t size, ByteView bytes) {
  std::array<std::byte, kRecordHeaderSize> header;
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

Status FlattenedStream::End() { return WriteRecord(kEndMark, kEndMark, {}); }

}  // namespace kdumpkit
