// SPDX-License-Identifier: GPL-2.0-or-later
// Reads a dump from its flattened form without making a file of it first. What has no record is
// zero; of two records for the same bytes the later counts.
#pragma once

#include <map>

#include "dumpfile/dump_source.h"
#include "dumpfile/flattened_format.h"

namespace kdumpkit {

class FlattenedSource final : public DumpSource {
 public:
  // Looks for all records; takes some 64 bytes of memory for each. A stream without its end mark is
  // kTruncated.
  static Result<std::unique_ptr<FlattenedSource>> Open(UniqueFd fd);

  uint64_t size() const override { return size_; }
  Status ReadFullyAt(FileOffset offset, ByteSpan buffer) const override;
  void DropCache() const override { stream_->DropCache(); }

 private:
  // Bytes of the dump, up to `end`, that lie in the stream from `at` on.
  struct Piece {
    uint64_t end = 0;
    uint64_t at = 0;
  };

  explicit FlattenedSource(std::unique_ptr<FileSource> stream) : stream_(std::move(stream)) {}
  Status FindRecords();
  void Add(const FlattenedRecord& record, uint64_t at);

  std::unique_ptr<FileSource> stream_;
  std::map<uint64_t, Piece> pieces_;  // by where they begin in the dump; they never overlap
  uint64_t size_ = 0;
};

}  // namespace kdumpkit
