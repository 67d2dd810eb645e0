// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/placement.h"

#include <algorithm>

#include "kexec/page.h"

namespace kdumpkit {
namespace {

// What the small segments may take beyond the least: an EFI memory map, IMA's and others' data.
constexpr uint64_t kUnknownMost = uint64_t{256} << 10;

// With `unknown` bytes more than is known at either end of the range.
bool Fits(const PhysRange& range, const MemoryNeed& need, uint64_t unknown) {
  uint64_t low = need.elfcorehdr + unknown;
  uint64_t high = need.other + unknown;
  if (range.size < low || range.size - low < high) return false;
  uint64_t bottom = range.base.value + low;
  uint64_t top = range.end().value - high;
  if (top < need.kernel) return false;
  uint64_t kernel = (top - need.kernel) / need.kernel_alignment * need.kernel_alignment;
  if (kernel < bottom) return false;
  // Above the kernel is what its alignment left over.
  return need.initrd <= std::max(top - kernel - need.kernel, kernel - bottom);
}

}  // namespace

Fit PlaceInRange(const PhysRange& range, const MemoryNeed& need) {
  int tried = 0;
  int fitting = 0;
  // More unknown bytes can also help, by pushing the kernel to a lower place: every size is tried.
  for (uint64_t unknown = 0; unknown <= kUnknownMost; unknown += kPageBytes) {
    ++tried;
    if (Fits(range, need, unknown)) ++fitting;
  }
  return fitting == 0 ? Fit::kNo : fitting == tried ? Fit::kYes : Fit::kMaybe;
}

Fit PlaceInSize(uint64_t size, const MemoryNeed& need) {
  if (need.Total() > size) return Fit::kNo;
  bool room_for_alignment = size - need.Total() >= need.kernel_alignment + 2 * kUnknownMost;
  return room_for_alignment ? Fit::kYes : Fit::kMaybe;
}

}  // namespace kdumpkit
