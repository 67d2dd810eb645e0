// SPDX-License-Identifier: GPL-2.0-or-later
// Decides which pages a dump keeps: walks the dead kernel's struct pages and applies a level.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "filter/dump_level.h"
#include "filter/page_bitmap.h"
#include "kernel/memory_map.h"
#include "kernel/needed_pages.h"

namespace kdumpkit {

struct ClassCount {
  uint64_t kept = 0;
  uint64_t dropped = 0;
};

struct Selection {
  std::vector<PfnRun> existing;  // bitmap 1: every frame that the vmcore has
  PageBitmap kept;               // bitmap 2
  uint64_t existing_pages = 0;
  uint64_t kept_pages = 0;
  // By PageClass. All zero when no struct page was looked at.
  std::array<ClassCount, kPageClassCount> classes = {};
  // Pages without a readable struct page; they are kept and count as kernel pages.
  uint64_t unclassified = 0;
  // Free pages by the buddy rule, and by the zones' own counters; absent when not known.
  std::optional<uint64_t> free_found;
  std::optional<uint64_t> free_counted;
  // Pages of the memory map that were left out; absent when nobody asked for that.
  std::optional<uint64_t> vmemmap_dropped;
  // Pages that a guard kept (by NeededKind), by the PageClass they were to be left out as. Those
  // of failed memory were left out all the same.
  std::array<std::array<uint64_t, kPageClassCount>, kNeededKindCount> guard_hits = {};
  std::vector<std::string> warnings;
  // The level could not be applied: every page is kept (warnings say why).
  bool fell_back = false;
};

// Never fails: what cannot be classified is kept, and a warning says so. `kernel` is null when
// nothing could be learned of the dead kernel; then every page is kept. `filtered` is the level
// that was applied to the source already: what it left out cannot be counted.
// `drop_vmemmap` is -e (filter/vmemmap.h).
Selection SelectPages(const MemorySource& source, const CrashedKernel* kernel, int page_shift,
                      const DumpLevel& level, int threads, int filtered = 0,
                      bool drop_vmemmap = false);

}  // namespace kdumpkit
