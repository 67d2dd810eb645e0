// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/flattened_format.h"

#include <algorithm>

namespace kdumpkit {
namespace {

// Behind the signature.
constexpr size_t kTypeOffset = 16;
constexpr size_t kVersionOffset = 24;
// Of ours only; the rest of the header is zero.
constexpr size_t kBeginningOffset = 2048;
constexpr uint64_t kType = 1;
constexpr uint64_t kVersion = 1;
// Four times what the most page frames of a dump (kdump_info.cc) can take.
constexpr uint64_t kMostBytes = uint64_t{1} << 50;

}  // namespace

ByteBuffer EncodeFlattenedHeader(ByteView beginning) {
  CHECK(beginning.size() <= kFlattenedHeaderSize - kBeginningOffset);
  ByteBuffer header(kFlattenedHeaderSize);
  std::ranges::copy(beginning, header.begin() + kBeginningOffset);
  std::ranges::copy(AsBytes(kFlattenedSignature), header.begin());
  StoreUnchecked(header.data() + kTypeOffset, kType, ByteOrder::kBig);
  StoreUnchecked(header.data() + kVersionOffset, kVersion, ByteOrder::kBig);
  return header;
}

Status CheckFlattenedHeader(ByteView header) {
  if (!AsText(header).starts_with(kFlattenedSignature))
    return Malformed("no flattened stream: it does not begin with '{}'", kFlattenedSignature);
  ByteReader reader(header, ByteOrder::kBig, "flattened stream");
  uint64_t type = TRY(reader.U64(kTypeOffset));
  uint64_t version = TRY(reader.U64(kVersionOffset));
  if (type != kType || version != kVersion)
    return Unsupported("a flattened stream of type {:#x} and version {:#x}, not 1 and 1", type,
                       version);
  return {};
}

ByteView BeginningIn(ByteView header) {
  ByteView beginning = header.subspan(kBeginningOffset);
  return IsZero(beginning) ? ByteView() : beginning;
}

void EncodeFlattenedRecord(uint64_t offset, uint64_t size, ByteSpan out) {
  CHECK(out.size() >= kFlattenedRecordSize);
  StoreUnchecked(out.data(), offset, ByteOrder::kBig);
  StoreUnchecked(out.data() + 8, size, ByteOrder::kBig);
}

Result<std::optional<FlattenedRecord>> DecodeFlattenedRecord(ByteView record, uint64_t at) {
  CHECK(record.size() >= kFlattenedRecordSize);
  auto offset = LoadUnchecked<uint64_t>(record.data(), ByteOrder::kBig);
  auto size = LoadUnchecked<uint64_t>(record.data() + 8, ByteOrder::kBig);
  if (offset == kFlattenedEnd && size == kFlattenedEnd) return std::optional<FlattenedRecord>();
  if (offset > kMostBytes || size > kMostBytes - offset)
    return Malformed(
        "the record at offset {:#x} of the stream has {:#x} bytes for offset {:#x}: no "
        "dump is so large",
        at, size, offset);
  return std::optional(FlattenedRecord{FileOffset(offset), size});
}

}  // namespace kdumpkit
