// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/unflatten.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/file.h"
#include "dumpfile/flattened_format.h"
#include "dumpfile/kdump_info.h"

namespace kdumpkit {
namespace {

constexpr size_t kPiece = size_t{256} << 10;

// Reads a stream in order, and knows where it is.
class StreamReader {
 public:
  StreamReader(int fd, const std::atomic<bool>& stop) : fd_(fd), stop_(stop) {}

  uint64_t at() const { return at_; }
  // All of `buffer`.
  Status Read(ByteSpan buffer) {
    while (!buffer.empty()) {
      // A signal that comes just before read(2) shows with the next bytes.
      if (stop_) return Truncated("interrupted at offset {:#x} of the stream", at_);
      ssize_t n = read(fd_, buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return SystemError(errno, fmt::format("reading the stream at offset {:#x}", at_));
      if (n == 0) return Truncated("the stream ends at offset {:#x}, before its end mark", at_);
      at_ += static_cast<uint64_t>(n);
      buffer = buffer.subspan(static_cast<size_t>(n));
    }
    return {};
  }

 private:
  int fd_;
  const std::atomic<bool>& stop_;
  uint64_t at_ = 0;
};

Status CopyRecord(const FlattenedRecord& record, StreamReader& stream, int output_fd,
                  ByteSpan buffer) {
  for (uint64_t done = 0; done < record.size;) {
    ByteSpan piece = buffer.first(std::min<uint64_t>(buffer.size(), record.size - done));
    TRY(stream.Read(piece));
    TRY(WriteFullyAt(output_fd, record.offset + done, piece));
    done += piece.size();
  }
  return {};
}

Status CopyRecords(StreamReader& stream, int output_fd, Unflattened& result) {
  ByteBuffer buffer(kPiece);
  std::array<std::byte, kFlattenedRecordSize> header;
  for (;;) {
    uint64_t at = stream.at();
    TRY(stream.Read(header));
    std::optional<FlattenedRecord> record = TRY(DecodeFlattenedRecord(header, at));
    if (!record) return {};
    TRY(CopyRecord(*record, stream, output_fd, buffer));
    ++result.records;
    result.has_beginning |= record->offset.value == 0 && record->size != 0;
    result.bytes += record->size;
  }
}

// Streams of makedumpfile begin with the headers, which say that the dump is whole.
void MarkIncomplete(int fd) {
  Result<std::unique_ptr<FileSource>> file = FileSource::Open(UniqueFd(dup(fd)));
  if (!file) return;
  Result<KdumpInfo> info = ReadKdumpInfo(**file);
  if (!info) return;
  std::array<std::byte, 4> status;
  StoreUnchecked(status.data(), static_cast<uint32_t>(info->header.status | kKdumpIncomplete),
                 info->abi.order);
  (void)WriteFullyAt(fd, FileOffset(KdumpHeaderFieldOffset("status", info->abi)), status);
}

}  // namespace

Result<Unflattened> Unflatten(int stream_fd, int output_fd, const std::atomic<bool>& stop) {
  StreamReader stream(stream_fd, stop);
  ByteBuffer header(kFlattenedHeaderSize);
  TRY(stream.Read(header).In("no flattened stream"));
  TRY(CheckFlattenedHeader(header));
  Unflattened result;
  Status copied = CopyRecords(stream, output_fd, result);
  if (copied) return result;
  result.failure = std::move(copied.error());
  // Of no use without room for it.
  if (!result.has_beginning) (void)WriteFullyAt(output_fd, FileOffset(0), BeginningIn(header));
  MarkIncomplete(output_fd);
  return result;
}

}  // namespace kdumpkit
