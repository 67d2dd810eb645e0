// SPDX-License-Identifier: GPL-2.0-or-later
// Finds places for segments in the memory that may hold them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ranges.h"

namespace kdumpkit {

// Memory that something needs, in one piece.
struct SpaceNeed {
  std::string name;        // "the kernel"
  uint64_t size = 0;       // bytes; whole pages are taken
  uint64_t alignment = 1;  // of the address, if more than a page
  uint64_t min_address = 0;
  uint64_t end_address = UINT64_MAX;  // it ends at or before this
};

class SegmentLayout {
 public:
  // `free` is cut to whole pages. `place` names it in errors ("the crash reservation"), `advice` is
  // what to do when it is too small.
  SegmentLayout(std::vector<PhysRange> free, std::string place, std::string advice);

  // Takes the highest or the lowest place that fits. The range is as large as needed in whole
  // pages. When nothing fits nothing is taken; the error says what is needed and what there is.
  Result<PhysRange> TakeHighest(const SpaceNeed& need);
  Result<PhysRange> TakeLowest(const SpaceNeed& need);

  // What is left: ascending, disjoint, whole pages.
  const std::vector<PhysRange>& free() const { return free_; }

 private:
  PhysRange Take(const PhysRange& range);
  Error NoRoom(const SpaceNeed& need) const;

  std::vector<PhysRange> free_;
  std::string place_;
  std::string advice_;
};

}  // namespace kdumpkit
