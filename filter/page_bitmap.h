// SPDX-License-Identifier: GPL-2.0-or-later
// One bit a page frame, in the order of the kdump bitmaps: bit i of byte b is frame 8 * b + i.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/ranges.h"

namespace kdumpkit {

// Page frames [first, end).
struct PfnRun {
  uint64_t first = 0;
  uint64_t end = 0;
  bool operator==(const PfnRun&) const = default;
};

// The frames of which at least one byte exists: fractional pages at the ends of a range count.
std::vector<PfnRun> ExistingRuns(std::span<const PhysRange> ranges, int page_shift);

// Bits may be cleared by several threads as long as no two of them touch the same 64 frames.
class PageBitmap {
 public:
  // All bits of `runs` set; covers frames [0, pages).
  PageBitmap(uint64_t pages, std::span<const PfnRun> runs);

  uint64_t pages() const { return pages_; }
  bool Test(uint64_t pfn) const { return (words_[pfn / 64] >> (pfn % 64) & 1) != 0; }
  // All cut the run to the bitmap; Clear returns how many bits were set before.
  void Set(PfnRun run);
  uint64_t Clear(PfnRun run);
  uint64_t Count(PfnRun run) const;
  uint64_t CountAll() const { return Count({0, pages_}); }
  // The first set frame at or after `pfn`.
  std::optional<uint64_t> Next(uint64_t pfn) const;
  // The first run of set frames at or after `pfn`; a run that begins before is cut.
  std::optional<PfnRun> NextRun(uint64_t pfn) const;
  // The bytes as they stand in a kdump file.
  ByteBuffer Bytes(uint64_t first_byte, size_t size) const;

 private:
  // Calls f(word index, mask) for each word that the run touches.
  template <typename Function>
  void ForEachWord(PfnRun run, Function f) const;

  uint64_t pages_;
  std::vector<uint64_t> words_;
};

}  // namespace kdumpkit
