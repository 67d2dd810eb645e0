// SPDX-License-Identifier: GPL-2.0-or-later
// Where the dead kernel maps memory: the direct map of all of it, and its own image. Worked out
// from its page tables, for files that have physical addresses only.
#pragma once

#include <optional>

#include "kernel/crashed_kernel.h"

namespace kdumpkit {

// Where physical address 0 is mapped; nothing when it cannot be told.
std::optional<VirtAddr> FindDirectMap(const CrashedKernel& kernel);

struct ImageMapping {
  VirtAddr address;
  PhysRange memory;
};

// From the beginning of the kernel's text on, in steps of 2 MiB, the last of which may reach behind
// its end. What the kernel unmapped again in between (its initialization code) is counted in.
std::optional<ImageMapping> FindImage(const CrashedKernel& kernel);

}  // namespace kdumpkit
