// SPDX-License-Identifier: GPL-2.0-or-later
// Where the struct pages are: the SPARSEMEM sections (or the flat array) of the dead kernel.
#pragma once

#include <vector>

#include "kernel/kernel_facts.h"

namespace kdumpkit {

// A run of page frames whose struct pages are one array in kernel virtual memory.
struct MapSection {
  Pfn first;
  uint64_t pages = 0;
  VirtAddr mem_map;  // struct page of `first`
  // SECTION_IS_ONLINE; true where the kernel has no such flag.
  bool online = true;
  VirtAddr entry = {};  // its struct mem_section; none with FLATMEM
};

struct MemoryMap {
  std::vector<MapSection> sections;  // ascending, disjoint
  // Findings that are worth a warning, one sentence each.
  std::vector<std::string> warnings;
};

// Sections that the kernel does not have, those without a memory map and those whose map cannot be
// read are left out, the latter two with a warning; so are sections in which the memory source has
// no memory. kMalformed when no section can be decoded.
Result<MemoryMap> ReadMemoryMap(const CrashedKernel& kernel, const KernelFacts& facts);

}  // namespace kdumpkit
