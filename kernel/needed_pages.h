// SPDX-License-Identifier: GPL-2.0-or-later
// Memory without which nobody can read a dump: it is found by names and through page tables, and
// does not depend on what its struct pages say.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ranges.h"
#include "kernel/kernel_names.h"
#include "kernel/memory_map.h"

namespace kdumpkit {

enum class NeededKind : uint8_t {
  kImage,      // text, read-only data, data and bss of the kernel; not what it frees after boot
  kPerCpu,     // variables of each CPU, and the dynamic part of the first chunk
  kTask,       // the task that each CPU ran, and its stack
  kLog,        // the printk ring
  kCrashInfo,  // VMCOREINFO, what it points to, registers of the CPUs
  kTables,     // page tables of the kernel's half
  kMemoryMap,  // struct pages, struct mem_section
};
inline constexpr size_t kNeededKindCount = 7;
// "the kernel image", "per-cpu data", "running tasks", "the printk ring", "VMCOREINFO", "page
// tables", "the memory map".
std::string_view NeededKindName(NeededKind kind);

struct NeededRange {
  NeededKind kind = NeededKind::kImage;
  PhysRange range;
};

// What needs names to be found; some ranges for each CPU.
struct NeededPages {
  std::vector<NeededRange> ranges;
  // Kinds that were not found, or not whole: "running tasks: the kernel has no symbol
  // current_task".
  std::vector<std::string> unknown;
};
NeededPages FindNeededPages(const CrashedKernel& kernel, const KernelNames& names);

// What does not: too much to be kept, so that `visit` gets a range at a time.
using NeededVisitor = std::function<void(const NeededRange&)>;
void VisitNeededTables(const CrashedKernel& kernel, const NeededVisitor& visit);
void VisitNeededMemoryMap(const CrashedKernel& kernel, const MemoryMap& map,
                          uint64_t page_struct_size, const NeededVisitor& visit);

}  // namespace kdumpkit
