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

// Pages of a kind as the scan found them, and as the kernel itself counted them.
struct CountCheck {
  std::string_view what;  // "free", "slab", "anonymous", "file"
  uint64_t found = 0;
  uint64_t counted = 0;
  int level_bits = 0;   // what a dump level leaves out on the strength of it
  bool failed = false;  // too far apart
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
  std::vector<CountCheck> checks;  // those whose counters are known
  // Pages of the memory map that were left out; absent when nobody asked for that.
  std::optional<uint64_t> vmemmap_dropped;
  // Pages that a guard kept (by NeededKind), by the PageClass they were to be left out as. Those
  // of failed memory were left out all the same.
  std::array<std::array<uint64_t, kPageClassCount>, kNeededKindCount> guard_hits = {};
  std::vector<std::string> warnings;
  // The level could not be applied: every page is kept (warnings say why).
  bool fell_back = false;
  int level = 0;  // the bits that were applied

  // Those of the level that rest on a check which failed.
  int doubtful_bits() const;
};

struct SelectOptions {
  int threads = 1;
  int filtered = 0;  // the level applied to the source already: what it left out cannot be counted
  // Takes the bits that a failed check makes doubtful from the level, and scans once more.
  bool strict = false;
  bool drop_vmemmap = false;  // -e (filter/vmemmap.h)
  bool running = false;       // the kernel's counts change meanwhile: they check nothing
};

// Never fails: what cannot be classified is kept, and a warning says so. `kernel` is null when
// nothing could be learned of the dead kernel; then every page is kept.
Selection SelectPages(const MemorySource& source, const CrashedKernel* kernel, int page_shift,
                      const DumpLevel& level, const SelectOptions& options);

}  // namespace kdumpkit
