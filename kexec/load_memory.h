// SPDX-License-Identifier: GPL-2.0-or-later
// The memory that the segments of kexec_load may lie in.
#pragma once

#include <span>

#include "base/ranges.h"
#include "kexec/iomem.h"
#include "kexec/memory_map.h"
#include "kexec/reservation.h"
#include "kexec/segment_layout.h"

namespace kdumpkit {

// The highest range of the reservation, inside `bounds`. Fails when nothing is reserved.
Result<SegmentLayout> CrashLayout(const CrashReservation& reservation, const PhysRange& bounds);

// For a kernel that takes the machine over: RAM above 1 MiB that the running kernel has had from
// boot on and that is RAM to the new one (`map`), outside of everything reserved.
SegmentLayout NormalLayout(std::span<const IomemEntry> iomem, std::span<const E820Entry> map,
                           const PhysRange& bounds);

// At most how many bytes the running kernel takes from the reservation by itself: for page tables
// that map all memory, and the code of the jump.
uint64_t ControlMemory(std::span<const IomemEntry> iomem);

}  // namespace kdumpkit
