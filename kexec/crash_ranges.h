// SPDX-License-Identifier: GPL-2.0-or-later
// The memory that a dump of the running kernel consists of.
#pragma once

#include <span>
#include <vector>

#include "base/ranges.h"
#include "kexec/iomem.h"
#include "kexec/reservation.h"

namespace kdumpkit {

// RAM that the running kernel uses or has used: at boot, hot-plugged, through dax/kmem and
// virtio-mem.
std::vector<PhysRange> UsedRam(std::span<const IomemEntry> iomem);

// What is to be dumped, merged: RAM less what belongs to the crash kernel (its ranges and those of
// crashkernel=...,cma, which it runs in) and the aperture of a GART, which reads as the memory
// behind it, if at all.
std::vector<PhysRange> CrashRanges(std::span<const IomemEntry> iomem,
                                   const CrashReservation& reservation);

}  // namespace kdumpkit
