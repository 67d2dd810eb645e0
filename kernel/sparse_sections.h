// SPDX-License-Identifier: GPL-2.0-or-later
// SPARSEMEM: the kernel's array of struct mem_section, one for each 2^SECTION_SIZE_BITS bytes of
// physical memory (Linux include/linux/mmzone.h, mm/sparse.c).
#pragma once

#include <optional>

#include "kernel/memory_map.h"

namespace kdumpkit {

// What is known of the array.
struct SparseLayout {
  VirtAddr symbol;             // SYMBOL(mem_section)
  int section_bits = 0;        // log2 of the bytes of a section
  uint64_t section_pages = 0;  // page frames of a section
  uint64_t page_struct = 0;    // SIZE(page), bytes
  uint64_t entry_size = 0;     // SIZE(mem_section), bytes
  uint64_t map_offset = 0;     // of section_mem_map in it
  // SPARSEMEM_EXTREME: the array is one of pointers to pages full of struct mem_section, each with
  // this many of them; 0 for one flat array.
  uint64_t per_root = 0;
  uint64_t sections = 0;  // no section has this number or a higher one
  uint64_t word_mask = 0;

  static Result<SparseLayout> FromKernel(const CrashedKernel& kernel, const KernelFacts& facts);
};

// The sections in which the memory source has memory.
Result<MemoryMap> ReadSparseSections(const CrashedKernel& kernel, const SparseLayout& layout);

}  // namespace kdumpkit
