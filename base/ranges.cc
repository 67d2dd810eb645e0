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

}  // namespace kdumpkit
