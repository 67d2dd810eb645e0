// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/select.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "filter/guards.h"
#include "filter/page_scan.h"
#include "filter/vmemmap.h"
#include "kernel/free_pages.h"
#include "kernel/kernel_names.h"
#include "kernel/page_counters.h"

namespace kdumpkit {
namespace {

void FallBack(Selection& selection, std::string_view why) {
  selection.fell_back = true;
  selection.warnings.push_back(
      fmt::format("pages cannot be classified, every page is kept: {}", why));
}

// Scans all sections with `threads` threads; their results add up in any order.
ScanResult ScanSections(const CrashedKernel& kernel, const PageLayout& layout, const MemoryMap& map,
                        const DumpLevel& level, Selection& selection, int threads) {
  std::vector<ScanResult> results(static_cast<size_t>(threads));
  std::atomic<size_t> next_section = 0;
  auto work = [&](ScanResult& result) {
    PageScan scan(kernel, layout, level, selection.existing, selection.kept, result);
    for (size_t i = next_section++; i < map.sections.size(); i = next_section++)
      scan.Section(map.sections[i]);
  };
  std::vector<std::thread> workers;
  for (size_t i = 1; i < results.size(); ++i) workers.emplace_back(work, std::ref(results[i]));
  work(results[0]);
  for (std::thread& worker : workers) worker.join();
  for (size_t i = 1; i < results.size(); ++i) results[0].Add(results[i]);
  return std::move(results[0]);
}

// Blocks that reach beyond their section are cleared here, after all threads have ended.
void ClearOverhangs(const ScanResult& result, Selection& selection) {
  for (const Overhang& overhang : result.overhangs) {
    uint64_t cleared = selection.kept.Clear(overhang.run);
    selection.classes[static_cast<size_t>(overhang.page_class)].dropped += cleared;
    // The scan of the section it reaches into saw tails and counted them as kept kernel pages.
    ClassCount& kernel_pages = selection.classes[static_cast<size_t>(PageClass::kKernel)];
    kernel_pages.kept -= std::min(kernel_pages.kept, cleared);
  }
}

void WarnOfUnclassified(const ScanResult& result, const MemoryMap& map, Selection& selection) {
  uint64_t mapped = 0;
  for (const PfnRun& run : selection.existing) mapped += run.end - run.first;
  uint64_t without_map = mapped - std::min(mapped, result.visited);
  selection.unclassified = without_map + result.unreadable;
  selection.classes[static_cast<size_t>(PageClass::kKernel)].kept += selection.unclassified;
  if (without_map > 0)
    selection.warnings.push_back(
        fmt::format("{} pages have no struct page and are kept", without_map));
  if (result.unreadable > 0)
    selection.warnings.push_back(
        fmt::format("the struct pages of {} pages cannot be read, these pages are kept: {}",
                    result.unreadable, result.first_error));
  if (result.bad_orders > 0)
    selection.warnings.push_back(
        fmt::format("{} free blocks have an impossible order and are kept", result.bad_orders));
  for (const std::string& warning : map.warnings) selection.warnings.push_back(warning);
}

// 1 % of memory covers what CPUs keep for themselves, and pages on their way from one use to
// another. The kernel counts large blocks of kmalloc as slab, which no struct page tells: there may
// be less.
bool TooFarApart(const CountCheck& check, uint64_t memory) {
  uint64_t difference = std::max(check.counted, check.found) - std::min(check.counted, check.found);
  if (check.what == "slab" && check.found < check.counted && check.found >= check.counted / 2)
    return false;
  return difference * 100 > memory;
}

void AddCheck(CountCheck check, Selection& selection) {
  check.failed = TooFarApart(check, selection.existing_pages);
  selection.checks.push_back(check);
  if (!check.failed) return;
  selection.warnings.push_back(fmt::format(
      "{} {} pages were found but the kernel counts {}: the page classification of this kernel "
      "may be wrong, keep the vmcore, or dump with --strict or '-d 1' to be safe",
      check.found, check.what, check.counted));
}

// A slab page that is not told for one looks like a page of a process.
void CheckCounters(const PageCounters& counters, const ScanResult& result, Selection& selection) {
  auto found = [&](PageClass page_class) {
    const ClassCount& count = selection.classes[static_cast<size_t>(page_class)];
    return count.kept + count.dropped;
  };
  if (counters.slab) AddCheck({"slab", result.slab_pages, *counters.slab, kLevelUser}, selection);
  if (counters.anonymous && counters.hugetlb)
    AddCheck(
        {"anonymous", found(PageClass::kUser), *counters.anonymous + *counters.hugetlb, kLevelUser},
        selection);
  if (counters.file)
    AddCheck({"file", found(PageClass::kCache) + found(PageClass::kCachePrivate), *counters.file,
              kLevelCache | kLevelCachePrivate},
             selection);
}

// Free pages found must agree with what the kernel itself counted; if they do not, the layout of
// struct page is not understood and the dump may be too large or lack pages.
void CheckFreePages(const CrashedKernel& kernel, const KernelFacts& facts, const PageLayout& layout,
                    const ScanResult& result, Selection& selection) {
  if (!layout.can_tell_free()) return;
  selection.free_found = result.free_pages;
  Result<uint64_t> counted = ReadFreePageCount(kernel, facts);
  if (!counted) {
    selection.warnings.push_back(fmt::format("free pages were not checked against the zones: {}",
                                             counted.error().message()));
    return;
  }
  selection.free_counted = *counted;
  AddCheck({"free", result.free_pages, *counted, kLevelFree}, selection);
}

// BTF could have helped where a fact is missing; when there is none, that is worth to know.
void WarnOfRulesOff(const PageLayout& layout, const KernelFacts& facts, Selection& selection) {
  for (const std::string& rule : layout.disabled())
    selection.warnings.push_back(fmt::format("rule is off, its pages are kept: {}", rule));
  if (!layout.disabled().empty() && !facts.without_btf().empty())
    selection.warnings.push_back(
        fmt::format("the kernel's own types were not read: {}", facts.without_btf()));
}

// After all else: it looks at what is left of the memory that the map describes.
void DropMap(const CrashedKernel& kernel, const MemoryMap& map, const PageLayout& layout,
             Selection& selection) {
  uint64_t dropped =
      DropVmemmap(kernel, map, layout.page_struct_size(), selection.existing, selection.kept);
  selection.vmemmap_dropped = dropped;
  ClassCount& kernel_pages = selection.classes[static_cast<size_t>(PageClass::kKernel)];
  kernel_pages.kept -= std::min(kernel_pages.kept, dropped);
  kernel_pages.dropped += dropped;
}

void Classify(const CrashedKernel& kernel, const DumpLevel& level, const SelectOptions& options,
              Selection& selection) {
  auto names = std::make_unique<KernelNames>(KernelNames::Learn(kernel));
  KernelFacts facts = KernelFacts::Learn(kernel, *names);
  for (const std::string& line : facts.Contradictions()) selection.warnings.push_back(line);
  Result<PageLayout> layout = PageLayout::FromFacts(facts, kernel.machine().order,
                                                    kernel.machine().word_size, kernel.page_size());
  if (!layout) return FallBack(selection, layout.error().message());
  WarnOfRulesOff(*layout, facts, selection);
  if (!level.NeedsScan(*layout)) return;
  Result<MemoryMap> map = ReadMemoryMap(kernel, facts);
  if (!map) return FallBack(selection, map.error().message());
  NeededPages needed = FindNeededPages(kernel, *names);
  PageCounters counters = ReadPageCounters(kernel, *names);
  names.reset();  // some megabytes
  ScanResult result =
      ScanSections(kernel, *layout, *map, level, selection, std::max(options.threads, 1));
  selection.classes = result.classes;
  ClearOverhangs(result, selection);
  WarnOfUnclassified(result, *map, selection);
  GuardNeededPages(kernel, *layout, *map, level, needed, selection);
  if (options.drop_vmemmap) DropMap(kernel, *map, *layout, selection);
  if (options.running) return;
  if ((options.filtered & kLevelFree) == 0)
    CheckFreePages(kernel, facts, *layout, result, selection);
  // A rule that is off finds nothing, which was said.
  if (options.filtered == 0 && layout->disabled().empty())
    CheckCounters(counters, result, selection);
}

Selection SelectByLevel(const MemorySource& source, const CrashedKernel* kernel, int page_shift,
                        const DumpLevel& level, const SelectOptions& options) {
  std::vector<PfnRun> existing = ExistingRuns(source.ranges(), page_shift);
  uint64_t pages = existing.empty() ? 0 : existing.back().end;
  PageBitmap all(pages, existing);
  Selection selection{.existing = std::move(existing), .kept = std::move(all)};
  selection.existing_pages = selection.kept.CountAll();
  if (kernel != nullptr) {
    Classify(*kernel, level, options, selection);
  } else if ((level.bits() & ~kLevelZero) != 0) {
    FallBack(selection, "the dead kernel is not understood");
  }
  selection.kept_pages = selection.kept.CountAll();
  selection.level = selection.fell_back ? level.bits() & kLevelZero : level.bits();
  return selection;
}

}  // namespace

int Selection::doubtful_bits() const {
  int bits = 0;
  for (const CountCheck& check : checks) bits |= check.failed ? check.level_bits : 0;
  return bits & level;
}

Selection SelectPages(const MemorySource& source, const CrashedKernel* kernel, int page_shift,
                      const DumpLevel& level, const SelectOptions& options) {
  Selection first = SelectByLevel(source, kernel, page_shift, level, options);
  int doubtful = first.doubtful_bits();
  if (!options.strict || doubtful == 0) return first;
  // Two bitmaps at once would be one too many for a capture kernel.
  std::vector<CountCheck> checks = std::move(first.checks);
  std::vector<std::string> warnings = std::move(first.warnings);
  first.kept = PageBitmap(0, {});
  DumpLevel safe = *DumpLevel::Make(level.bits() & ~doubtful);
  Selection second = SelectByLevel(source, kernel, page_shift, safe, options);
  second.checks = std::move(checks);
  // A level that needs no struct page looked at checks nothing.
  second.warnings = std::move(warnings);
  second.warnings.push_back(
      fmt::format("the level is {} instead of {}, for --strict", safe.bits(), level.bits()));
  return second;
}

}  // namespace kdumpkit
