// SPDX-License-Identifier: GPL-2.0-or-later
// Half-open ranges of physical memory, and sorted sets of them.
#pragma once

#include <cstdint>
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

}  // namespace kdumpkit
