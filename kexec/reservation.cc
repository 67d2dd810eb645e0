// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/reservation.h"

#include <algorithm>

#include "kexec/iomem.h"
#include "kexec/system_state.h"

namespace kdumpkit {
namespace {

std::vector<PhysRange> SortedRangesNamed(std::span<const IomemEntry> iomem, std::string_view name) {
  std::vector<PhysRange> ranges = RangesNamed(iomem, name);
  std::sort(ranges.begin(), ranges.end(),
            [](const PhysRange& a, const PhysRange& b) { return a.base < b.base; });
  return ranges;
}

}  // namespace

std::optional<bool> CrashReservation::Present() const {
  if (!ranges.empty()) return true;
  // A hidden range exists; the size tells when it is there. Ranges given back through crash_size
  // leave iomem, so that a listed file without them is an answer too.
  if (total_size) return *total_size > 0;
  if (hidden) return true;
  return listed ? std::optional<bool>(false) : std::nullopt;
}

std::optional<PhysRange> CrashReservation::Target() const {
  if (ranges.empty()) return std::nullopt;
  return ranges.back();
}

std::optional<uint64_t> CrashReservation::TargetSize() const {
  if (!ranges.empty()) return ranges.back().size;
  return total_size;
}

CrashReservation ReadCrashReservation(const RootDir& root) {
  CrashReservation reservation;
  if (Result<Iomem> iomem = ReadIomem(root)) {
    reservation.listed = true;
    reservation.ranges = SortedRangesNamed(*iomem, "Crash kernel");
  }
  std::vector<PhysRange>& ranges = reservation.ranges;
  reservation.hidden = std::any_of(ranges.begin(), ranges.end(), IsHidden);
  if (reservation.hidden) ranges.clear();
  reservation.total_size = ReadKexecNumber(root, KexecFile::kCrashSize);
  if (std::optional<std::string> cma = ReadKexecFile(root, KexecFile::kCrashCmaRanges))
    reservation.cma = SortedRangesNamed(ParseIomem(*cma), "");
  return reservation;
}

}  // namespace kdumpkit
