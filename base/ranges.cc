// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/ranges.h"

#include <algorithm>

namespace kdumpkit {

Result<PhysRange> PhysRange::Make(PhysAddr base, uint64_t size) {
  if (size > UINT64_MAX - base.value)
    return Malformed("range at {:#x} of {:#x} bytes exceeds the address space", base.value, size);
  return PhysRange{base, size};
}

std::vector<PhysRange> MergeRanges(std::vector<PhysRange> ranges) {
  std::erase_if(ranges, [](const PhysRange& range) { return range.size == 0; });
  std::sort(ranges.begin(), ranges.end(),
            [](const PhysRange& a, const PhysRange& b) { return a.base < b.base; });
  std::vector<PhysRange> merged;
  for (const PhysRange& range : ranges) {
    if (!merged.empty() && range.base <= merged.back().end()) {
      PhysAddr end = std::max(merged.back().end(), range.end());
      merged.back().size = end - merged.back().base;
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

std::vector<PhysRange> SubtractRanges(std::vector<PhysRange> ranges, std::vector<PhysRange> taken) {
  ranges = MergeRanges(std::move(ranges));
  taken = MergeRanges(std::move(taken));
  std::vector<PhysRange> rest;
  auto next = taken.begin();
  for (PhysRange range : ranges) {
    while (next != taken.end() && next->end() <= range.base) ++next;
    // One that reaches beyond this range may reach into the following ones, so `next` stays.
    for (auto cut = next; cut != taken.end() && cut->base < range.end(); ++cut) {
      if (cut->base > range.base) rest.push_back({range.base, cut->base - range.base});
      PhysAddr resume = std::min(cut->end(), range.end());
      range = {resume, range.end() - resume};
    }
    if (range.size > 0) rest.push_back(range);
  }
  return rest;
}

std::vector<PhysRange> IntersectRanges(std::vector<PhysRange> a, std::vector<PhysRange> b) {
  // What is in a, less what is in a without b.
  std::vector<PhysRange> only_a = SubtractRanges(a, std::move(b));
  return SubtractRanges(std::move(a), std::move(only_a));
}

uint64_t TotalSize(std::span<const PhysRange> ranges) {
  uint64_t total = 0;
  for (const PhysRange& range : ranges) total += range.size;
  return total;
}

}  // namespace kdumpkit
