// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/load_memory.h"

#include "kexec/crash_ranges.h"
#include "kexec/page.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr PhysRange kFirstMegabyte = {PhysAddr(0), uint64_t{1} << 20};

// Inside RAM only the running kernel itself is no obstacle: it is gone by then.
bool IsObstacle(const IomemEntry& entry) {
  return entry.level > 0 && entry.name != "System RAM" && !entry.name.starts_with("Kernel ");
}

}  // namespace

Result<SegmentLayout> CrashLayout(const CrashReservation& reservation, const PhysRange& bounds) {
  std::optional<PhysRange> target = reservation.Target();
  if (!target)
    return Unsupported(
        "no memory is reserved for a crash kernel: '/proc/iomem' has no 'Crash kernel'");
  return SegmentLayout(IntersectRanges({*target}, {bounds}),
                       fmt::format("the crash reservation at {:#x}-{:#x}", target->base.value,
                                   target->end().value - 1),
                       "boot with a larger crashkernel=, or load a smaller initramfs");
}

SegmentLayout NormalLayout(std::span<const IomemEntry> iomem, std::span<const E820Entry> map,
                           const PhysRange& bounds) {
  std::vector<PhysRange> taken = {kFirstMegabyte};
  for (const IomemEntry& entry : iomem)
    if (IsObstacle(entry)) taken.push_back(entry.range);
  std::vector<PhysRange> ram = SubtractRanges(RangesNamed(iomem, "System RAM"), std::move(taken));
  ram = IntersectRanges(std::move(ram), RangesOfType(map, E820Type::kRam));
  return SegmentLayout(IntersectRanges(std::move(ram), {bounds}), "free memory",
                       "load a smaller initramfs, or widen --mem-min and --mem-max");
}

uint64_t ControlMemory(std::span<const IomemEntry> iomem) {
  // By pages of 2 MiB, a page of page tables maps a GiB.
  constexpr uint64_t kFixedPages = 32;
  return (TotalSize(UsedRam(iomem)) / kGiB + kFixedPages) * kPageBytes;
}

}  // namespace kdumpkit
