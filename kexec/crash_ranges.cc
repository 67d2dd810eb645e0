// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/crash_ranges.h"

namespace kdumpkit {
namespace {

// Memory that a driver adds is named after it, "System RAM (kmem)" and "System RAM (virtio_mem)",
// and lies inside the range of its device (drivers/dax/kmem.c, drivers/virtio/virtio_mem.c).
bool IsSystemRam(std::string_view name) {
  return name == "System RAM" || name.starts_with("System RAM (");
}

void Append(std::vector<PhysRange>& to, const std::vector<PhysRange>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

std::vector<PhysRange> UsedRam(std::span<const IomemEntry> iomem) {
  std::vector<PhysRange> ram;
  for (const IomemEntry& entry : iomem)
    if (IsSystemRam(entry.name)) ram.push_back(entry.range);
  return MergeRanges(std::move(ram));
}

std::vector<PhysRange> CrashRanges(std::span<const IomemEntry> iomem,
                                   const CrashReservation& reservation) {
  std::vector<PhysRange> taken = RangesNamed(iomem, "GART");
  Append(taken, reservation.ranges);
  Append(taken, reservation.cma);
  return SubtractRanges(UsedRam(iomem), std::move(taken));
}

}  // namespace kdumpkit
