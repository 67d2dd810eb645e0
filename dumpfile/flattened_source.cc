// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/flattened_source.h"

#include <algorithm>
#include <array>

namespace kdumpkit {
namespace {

// Those of a dump of a terabyte. Bounds memory, whatever the file says.
constexpr size_t kMostPieces = size_t{1} << 22;

}  // namespace

Result<std::unique_ptr<FlattenedSource>> FlattenedSource::Open(UniqueFd fd) {
  std::unique_ptr<FileSource> stream = TRY(FileSource::Open(std::move(fd)));
  ByteBuffer header(kFlattenedHeaderSize);
  TRY(stream->ReadFullyAt(FileOffset(0), header).In("reading the header of the stream"));
  TRY(CheckFlattenedHeader(header));
  std::unique_ptr<FlattenedSource> source(new FlattenedSource(std::move(stream)));
  TRY(source->FindRecords());
  return source;
}

Status FlattenedSource::FindRecords() {
  std::array<std::byte, kFlattenedRecordSize> bytes;
  for (uint64_t at = kFlattenedHeaderSize;;) {
    TRY(stream_->ReadFullyAt(FileOffset(at), bytes).In("looking for the end mark of the stream"));
    std::optional<FlattenedRecord> record = TRY(DecodeFlattenedRecord(bytes, at));
    if (!record) return {};
    at += kFlattenedRecordSize;
    if (record->size > stream_->size() - at)
      return Truncated("the stream ends at offset {:#x}, within the record at {:#x}",
                       stream_->size(), at - kFlattenedRecordSize);
    Add(*record, at);
    if (pieces_.size() > kMostPieces)
      return Unsupported(
          "the stream has too many records to be read as it is; make a file of it "
          "with -R first");
    at += record->size;
  }
}

// Cuts out what stood there before.
void FlattenedSource::Add(const FlattenedRecord& record, uint64_t at) {
  if (record.size == 0) return;
  uint64_t begin = record.offset.value, end = begin + record.size;
  size_ = std::max(size_, end);
  auto next = pieces_.upper_bound(begin);
  if (next != pieces_.begin()) --next;
  while (next != pieces_.end() && next->first < end) {
    auto [old_begin, old] = *next;
    if (old.end <= begin) {
      ++next;
      continue;
    }
    next = pieces_.erase(next);
    if (old_begin < begin) pieces_[old_begin] = {begin, old.at};
    if (old.end > end) pieces_[end] = {old.end, old.at + (end - old_begin)};
  }
  pieces_[begin] = {end, at};
}

Status FlattenedSource::ReadFullyAt(FileOffset offset, ByteSpan buffer) const {
  uint64_t begin = offset.value;
  if (begin > size_ || buffer.size() > size_ - begin)
    return Truncated("the dump ends at offset {:#x}, before the {} bytes at {:#x}", size_,
                     buffer.size(), begin);
  std::ranges::fill(buffer, std::byte{0});
  uint64_t end = begin + buffer.size();
  auto piece = pieces_.upper_bound(begin);
  if (piece != pieces_.begin()) --piece;
  for (; piece != pieces_.end() && piece->first < end; ++piece) {
    uint64_t from = std::max(begin, piece->first);
    uint64_t to = std::min(end, piece->second.end);
    if (from >= to) continue;
    TRY(stream_->ReadFullyAt(FileOffset(piece->second.at + (from - piece->first)),
                             buffer.subspan(from - begin, to - from)));
  }
  return {};
}

}  // namespace kdumpkit
