// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's own counts of its pages by use (Linux mm/vmstat.c), against which a filter can check
// what it found. Each CPU keeps up to 125 pages a counter for itself, which are not in here.
#pragma once

#include "kernel/kernel_names.h"

namespace kdumpkit {

// In pages; nothing where the kernel's names do not lead there.
struct PageCounters {
  std::optional<uint64_t> slab;       // NR_SLAB_RECLAIMABLE_B and NR_SLAB_UNRECLAIMABLE_B
  std::optional<uint64_t> anonymous;  // NR_ANON_MAPPED
  std::optional<uint64_t> file;       // NR_FILE_PAGES: page cache, shared memory, swap cache
  std::optional<uint64_t> hugetlb;    // of all pools, in use or not; 0 in a kernel without
};
PageCounters ReadPageCounters(const CrashedKernel& kernel, const KernelNames& names);

}  // namespace kdumpkit
