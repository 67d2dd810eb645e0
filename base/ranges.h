// SPDX-License-Identifier: GPL-2.0-or-later
// Half-open ranges of physical memory, and sorted sets of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/error.h"

namespace kdumpkit {

// [base, base + size) in bytes; base + size never wraps.
struct PhysRange {
  PhysAddr base;
  uint64_t size = 0;

  // Fails (kMalformed) when base + size exceeds 2^64 - 1.
  static Result<PhysRange> Make(PhysAddr base, uint64_t size);
  PhysAddr end() const { return base + size; }
  bool Contains(PhysAddr address) const { return address >= base && address < end(); }
  bool operator==(const PhysRange&) const = default;
};

// Sorts by base and merges ranges that overlap or touch; drops empty ones.
std::vector<PhysRange> MergeRanges(std::vector<PhysRange> ranges);

// What lies in `ranges` and in none of `taken` (either in any order, with overlaps); merged.
std::vector<PhysRange> SubtractRanges(std::vector<PhysRange> ranges, std::vector<PhysRange> taken);

// What lies in both; merged.
std::vector<PhysRange> IntersectRanges(std::vector<PhysRange> a, std::vector<PhysRange> b);

// The sum of the sizes; the ranges must not overlap.
uint64_t TotalSize(std::span<const PhysRange> ranges);

}  // namespace kdumpkit
