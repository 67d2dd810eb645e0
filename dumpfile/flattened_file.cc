// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/flattened_file.h"

#include <algorithm>
#include <array>
#include <queue>

#include "dumpfile/flattened_format.h"

namespace kdumpkit {
namespace {

// Files cannot be larger (off_t), so no sum of two such numbers overflows.
constexpr uint64_t kMaxOffset = INT64_MAX;
// 4 TiB in the records of 64 KiB that makedumpfile writes; bounds memory to 2 GiB.
constexpr uint64_t kMaxRecords = uint64_t{1} << 26;

}  // namespace

bool FlattenedFile::IsOne(ByteView beginning) {
  return AsText(beginning).starts_with(kFlattenedSignature);
}

Result<std::unique_ptr<FlattenedFile>> FlattenedFile::Open(std::unique_ptr<RandomAccess> stream) {
  std::unique_ptr<FlattenedFile> file(new FlattenedFile(std::move(stream)));
  TRY(file->ReadRecords());
  file->Disentangle();
  return file;
}

Status FlattenedFile::ReadRecords() {
  std::array<std::byte, kFlattenedVersionOffset + 8> header;
  TRY(stream_->ReadFully(FileOffset(0), header).In("reading the header of a flattened dump"));
  ByteReader reader(header, ByteOrder::kBig, "header of a flattened dump");
  uint64_t type = TRY(reader.U64(kFlattenedTypeOffset));
  uint64_t version = TRY(reader.U64(kFlattenedVersionOffset));
  if (!IsOne(header) || type != kFlattenedType || version != kFlattenedVersion)
    return Unsupported("a flattened dump of type {} and version {}, not {} and {}", type, version,
                       kFlattenedType, kFlattenedVersion);
  uint64_t at = kFlattenedHeaderSize;
  while (TRY(ReadRecord(at))) {
  }
  return {};
}

Result<bool> FlattenedFile::ReadRecord(uint64_t& at) {
  uint64_t stream_size = stream_->size();
  if (at > stream_size || stream_size - at < kFlattenedRecordHeaderSize) return false;
  std::array<std::byte, kFlattenedRecordHeaderSize> header;
  TRY(stream_->ReadFully(FileOffset(at), header));
  auto offset = LoadUnchecked<uint64_t>(header.data(), ByteOrder::kBig);
  auto size = LoadUnchecked<uint64_t>(header.data() + 8, ByteOrder::kBig);
  if (offset == kFlattenedEndMark && size == kFlattenedEndMark) {
    complete_ = true;
    return false;
  }
  if (offset > kMaxOffset || size > kMaxOffset - offset)
    return Malformed("flattened dump: a record at {:#x} of {:#x} bytes for {:#x}", at, size,
                     offset);
  if (++records_ > kMaxRecords)
    return Unsupported("flattened dump: more than {} records; rebuild it first (-R)", kMaxRecords);
  uint64_t place = at + kFlattenedRecordHeaderSize;
  // Of a record that is cut off, what is there.
  uint64_t there = std::min(size, stream_size - place);
  if (there > 0) extents_.push_back({offset, offset + there, place});
  at = place + there;
  return there == size;
}

// Cuts the records so that none overlap; of several for the same bytes the last in the stream is
// left. A sweep over the offsets, with the records that reach there, the latest on top.
void FlattenedFile::Disentangle() {
  std::vector<Extent> records = std::move(extents_);
  std::sort(records.begin(), records.end(),
            [](const Extent& a, const Extent& b) { return a.offset < b.offset; });
  auto earlier = [](const Extent& a, const Extent& b) { return a.place < b.place; };
  std::priority_queue<Extent, std::vector<Extent>, decltype(earlier)> open(earlier);
  uint64_t at = 0;
  extents_ = {};
  for (size_t next = 0; next < records.size() || !open.empty();) {
    if (open.empty()) at = std::max(at, records[next].offset);
    for (; next < records.size() && records[next].offset <= at; ++next) open.push(records[next]);
    Extent top = open.top();
    if (top.end <= at) {
      open.pop();
      continue;
    }
    // Until the top one ends, or one begins that may be later.
    uint64_t end = next < records.size() ? std::min(top.end, records[next].offset) : top.end;
    uint64_t place = top.place + (at - top.offset);
    Extent* last = extents_.empty() ? nullptr : &extents_.back();
    if (last != nullptr && last->end == at && last->place + (at - last->offset) == place)
      last->end = end;
    else
      extents_.push_back({at, end, place});
    at = end;
  }
}

uint64_t FlattenedFile::size() const { return extents_.empty() ? 0 : extents_.back().end; }

Status FlattenedFile::ReadFully(FileOffset offset, ByteSpan buffer) const {
  uint64_t at = offset.value;
  if (at > size() || buffer.size() > size() - at)
    return Truncated("{} bytes at {:#x} lie beyond the end of the flattened dump at {:#x}",
                     buffer.size(), at, size());
  auto extent = std::upper_bound(extents_.begin(), extents_.end(), at,
                                 [](uint64_t value, const Extent& e) { return value < e.end; });
  for (; !buffer.empty(); ++extent) {
    if (extent->offset > at) {
      size_t gap = std::min<uint64_t>(extent->offset - at, buffer.size());
      if (!complete_) return Truncated("the flattened dump is cut: bytes at {:#x} are missing", at);
      std::fill_n(buffer.begin(), gap, std::byte{0});
      buffer = buffer.subspan(gap);
      at += gap;
    }
    size_t part = std::min<uint64_t>(extent->end - at, buffer.size());
    TRY(stream_->ReadFully(FileOffset(extent->place + (at - extent->offset)), buffer.first(part)));
    buffer = buffer.subspan(part);
    at += part;
  }
  return {};
}

}  // namespace kdumpkit
