// SPDX-License-Identifier: GPL-2.0-or-later
// The memory that crashkernel= set aside.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/file.h"
#include "base/ranges.h"

namespace kdumpkit {

struct CrashReservation {
  // From /proc/iomem, ascending; empty when there are none or `hidden` is set.
  std::vector<PhysRange> ranges;
  // /proc/iomem could be read.
  bool listed = false;
  // /proc/iomem has ranges, but shows them as zeros: the reader lacks CAP_SYS_ADMIN.
  bool hidden = false;
  // What the kernel says the size is: of the upper range, since Linux 6.6 of both together.
  std::optional<uint64_t> total_size;
  // From crashkernel=...,cma: lent to the crash kernel once it runs, no place to load it to.
  std::vector<PhysRange> cma;

  // False when it is certain that nothing is reserved; absent when nothing can be known.
  std::optional<bool> Present() const;
  // The range the kernel loads into: the highest. A lower one ("crashkernel=...,low") only serves
  // the crash kernel for DMA. Absent when addresses are unknown.
  std::optional<PhysRange> Target() const;
  // Bytes that can be loaded to; when addresses are hidden the total, an upper bound.
  std::optional<uint64_t> TargetSize() const;
};

CrashReservation ReadCrashReservation(const RootDir& root);

}  // namespace kdumpkit
