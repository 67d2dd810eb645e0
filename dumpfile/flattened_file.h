// SPDX-License-Identifier: GPL-2.0-or-later
// A flattened dump in a file, read as the dump that it describes, without rebuilding it.
#pragma once

#include <memory>
#include <vector>

#include "base/random_access.h"

namespace kdumpkit {

class FlattenedFile final : public RandomAccess {
 public:
  // Whether a file that begins like this is one.
  static bool IsOne(ByteView beginning);

  // Goes through all record headers once; takes 32 bytes of memory a record. A record whose place
  // or size cannot be is kMalformed and named by its offset in the stream. A stream that ends
  // before its end mark opens (complete() is false) as far as it goes.
  static Result<std::unique_ptr<FlattenedFile>> Open(std::unique_ptr<RandomAccess> stream);

  bool complete() const { return complete_; }
  uint64_t record_count() const { return records_; }

  // Of the dump: where its last byte stands.
  uint64_t size() const override;
  // Of records that overlap the last one counts. What has no record is zero, as "makedumpfile -R"
  // would leave it; in a stream that is cut it is missing (kTruncated).
  Status ReadFully(FileOffset offset, ByteSpan buffer) const override;

 private:
  // Bytes [offset, end) of the dump stand at `place` of the stream.
  struct Extent {
    uint64_t offset = 0;
    uint64_t end = 0;
    uint64_t place = 0;
  };

  explicit FlattenedFile(std::unique_ptr<RandomAccess> stream) : stream_(std::move(stream)) {}
  Status ReadRecords();
  // False at the end of the stream.
  Result<bool> ReadRecord(uint64_t& at);
  void Disentangle();

  std::unique_ptr<RandomAccess> stream_;
  std::vector<Extent> extents_;  // by offset, disjoint
  uint64_t records_ = 0;
  bool complete_ = false;
};

}  // namespace kdumpkit
