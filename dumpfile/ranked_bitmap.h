// SPDX-License-Identifier: GPL-2.0-or-later
// A page bitmap of a dump file, read whole: one bit a page frame, and fast ranks.
#pragma once

#include <memory>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/ranges.h"
#include "dumpfile/dump_source.h"

namespace kdumpkit {

class RankedBitmap {
 public:
  // Reads `bits` bits (bit i of byte b is page frame 8 * b + i) from `start` on. Takes bits / 8
  // bytes of memory; fails (kSystem, ENOMEM) when they cannot be had.
  static Result<RankedBitmap> Read(const DumpSource& source, FileOffset start, uint64_t bits);

  bool Test(Pfn pfn) const;  // false beyond the end
  // How many page frames below `pfn` are set.
  uint64_t Rank(Pfn pfn) const;
  uint64_t count() const { return ranks_.back(); }
  // The page frames that are set, as memory of `page_size` bytes each.
  std::vector<PhysRange> Ranges(uint64_t page_size) const;

 private:
  RankedBitmap() = default;
  uint64_t Word(uint64_t index) const;
  // The first page frame >= `from` whose bit is `value`, bits_ if there is none.
  uint64_t Find(uint64_t from, bool value) const;

  uint64_t bits_ = 0;
  std::unique_ptr<std::byte[]> bytes_;  // whole words, zero beyond bits_
  std::vector<uint64_t> ranks_;         // of every kRankStep-th page frame, and of the end
};

}  // namespace kdumpkit
