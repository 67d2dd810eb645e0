// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/memory_map.h"

#include "kernel/sparse_sections.h"

namespace kdumpkit {
namespace {

// FLATMEM: one array of struct pages for all memory, at the address that mem_map holds.
Result<MemoryMap> ReadFlatMap(const CrashedKernel& kernel, VirtAddr symbol) {
  auto ranges = kernel.source().ranges();
  if (ranges.empty()) return Malformed("no memory");
  VirtAddr mem_map(TRY(kernel.NewMemory()->ReadWord(symbol).In("reading mem_map")));
  if (mem_map.value == 0) return Malformed("mem_map is NULL");
  uint64_t last = (ranges.back().end().value - 1) >> kernel.page_shift();
  return MemoryMap{.sections = {{Pfn(0), last + 1, mem_map, true}}, .warnings = {}};
}

}  // namespace

Result<MemoryMap> ReadMemoryMap(const CrashedKernel& kernel, const KernelFacts& facts) {
  // SYMBOL(mem_map) is also there on SPARSEMEM kernels without NUMA, where it means nothing.
  if (!facts.Symbol("mem_section")) {
    if (Result<VirtAddr> mem_map = facts.Symbol("mem_map")) return ReadFlatMap(kernel, *mem_map);
  }
  return ReadSparseSections(kernel, TRY(SparseLayout::FromKernel(kernel, facts)));
}

}  // namespace kdumpkit
