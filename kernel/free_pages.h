// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's own count of free pages, against which a filter can check what it found.
#pragma once

#include "kernel/kernel_facts.h"

namespace kdumpkit {

// The sum of NR_FREE_PAGES over every populated zone of every node, in pages. Absent, with the
// missing key as the error text (kUnsupported), when nothing says where it is.
Result<uint64_t> ReadFreePageCount(const CrashedKernel& kernel, const KernelFacts& facts);

}  // namespace kdumpkit
