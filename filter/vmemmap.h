// SPDX-License-Identifier: GPL-2.0-or-later
// -e: the memory map itself may be left out where it describes nothing but pages that are left out.
#pragma once

#include "filter/select.h"

namespace kdumpkit {

// Clears in `kept` every page of the memory map whose struct pages all speak of page frames that
// exist and are not kept; returns how many were set before. Whole pages only, and whatever size
// they are mapped with, 4 KiB of them at a time; a page that is mapped more than once (the kernel
// maps the tails of a hugetlb page onto one) goes only when no mapping of it is needed. What is not
// mapped, or cannot be translated, is passed over. `struct_size` is that of struct page.
uint64_t DropVmemmap(const CrashedKernel& kernel, const MemoryMap& map, uint64_t struct_size,
                     std::span<const PfnRun> existing, PageBitmap& kept);

}  // namespace kdumpkit
