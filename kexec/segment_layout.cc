// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/segment_layout.h"

#include <algorithm>
#include <optional>

#include "kexec/page.h"
#include "kexec/text.h"

namespace kdumpkit {
namespace {

// The whole pages in a range.
PhysRange WholePages(const PhysRange& range) {
  uint64_t end = RoundDown(range.end().value, kPageBytes);
  if (range.base.value > UINT64_MAX - kPageBytes) return {range.base, 0};
  uint64_t base = RoundUp(range.base.value, kPageBytes);
  return {PhysAddr(base), base < end ? end - base : 0};
}

// What of a free range may be used for the need.
std::optional<PhysRange> Usable(const PhysRange& free, const SpaceNeed& need) {
  uint64_t base = std::max(free.base.value, need.min_address);
  uint64_t end = std::min(free.end().value, need.end_address);
  if (base >= end || end - base < need.size) return std::nullopt;
  return PhysRange{PhysAddr(base), end - base};
}

std::optional<PhysRange> HighestIn(const PhysRange& free, const SpaceNeed& need) {
  std::optional<PhysRange> usable = Usable(free, need);
  if (!usable) return std::nullopt;
  uint64_t base = RoundDown(usable->end().value - need.size, need.alignment);
  if (base < usable->base.value) return std::nullopt;
  return PhysRange{PhysAddr(base), need.size};
}

std::optional<PhysRange> LowestIn(const PhysRange& free, const SpaceNeed& need) {
  std::optional<PhysRange> usable = Usable(free, need);
  if (!usable || usable->base.value > UINT64_MAX - need.alignment) return std::nullopt;
  uint64_t base = RoundUp(usable->base.value, need.alignment);
  if (base > usable->end().value || usable->end().value - base < need.size) return std::nullopt;
  return PhysRange{PhysAddr(base), need.size};
}

SpaceNeed InPages(SpaceNeed need) {
  need.size = RoundUp(std::max<uint64_t>(need.size, 1), kPageBytes);
  need.alignment = RoundUp(std::max<uint64_t>(need.alignment, 1), kPageBytes);
  return need;
}

}  // namespace

SegmentLayout::SegmentLayout(std::vector<PhysRange> free, std::string place, std::string advice)
    : place_(std::move(place)), advice_(std::move(advice)) {
  for (PhysRange& range : free) range = WholePages(range);
  free_ = MergeRanges(std::move(free));
}

Result<PhysRange> SegmentLayout::TakeHighest(const SpaceNeed& wanted) {
  SpaceNeed need = InPages(wanted);
  for (auto range = free_.rbegin(); range != free_.rend(); ++range)
    if (std::optional<PhysRange> place = HighestIn(*range, need)) return Take(*place);
  return NoRoom(need);
}

Result<PhysRange> SegmentLayout::TakeLowest(const SpaceNeed& wanted) {
  SpaceNeed need = InPages(wanted);
  for (const PhysRange& range : free_)
    if (std::optional<PhysRange> place = LowestIn(range, need)) return Take(*place);
  return NoRoom(need);
}

PhysRange SegmentLayout::Take(const PhysRange& range) {
  free_ = SubtractRanges(std::move(free_), {range});
  return range;
}

Error SegmentLayout::NoRoom(const SpaceNeed& need) const {
  std::string text = fmt::format("no room for {} in {}: {} are needed in one piece", need.name,
                                 place_, SizeText(need.size));
  if (need.alignment > kPageBytes)
    text += fmt::format(", at a multiple of {}", SizeText(need.alignment));
  if (need.min_address > 0) text += fmt::format(", not below {:#x}", need.min_address);
  if (need.end_address < UINT64_MAX) text += fmt::format(", below {:#x}", need.end_address);
  uint64_t largest = 0;
  for (const PhysRange& range : free_) largest = std::max(largest, range.size);
  text += fmt::format("; {} are left, the largest piece has {}", SizeText(TotalSize(free_)),
                      SizeText(largest));
  return Unsupported("{}: {}", text, advice_);
}

}  // namespace kdumpkit
