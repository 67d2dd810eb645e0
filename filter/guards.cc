// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/guards.h"

#include <algorithm>

namespace kdumpkit {
namespace {

// Blocks of 2^order pages that one struct page speaks for; hugetlb pages of 16 GiB have 22.
constexpr uint64_t kMaxOrder = 22;

class Guards {
 public:
  Guards(const CrashedKernel& kernel, const PageLayout& layout, const MemoryMap& map,
         const DumpLevel& level, Selection& selection)
      : layout_(layout),
        map_(map),
        level_(level),
        selection_(selection),
        page_shift_(kernel.page_shift()),
        memory_(kernel.NewMemory()) {}

  // Most ranges are whole: then a count of bits is all.
  void Check(const NeededRange& needed) {
    if (needed.range.size == 0) return;
    uint64_t first = needed.range.base.value >> page_shift_;
    uint64_t end = ((needed.range.end().value - 1) >> page_shift_) + 1;
    const std::vector<PfnRun>& existing = selection_.existing;
    auto run = std::partition_point(existing.begin(), existing.end(),
                                    [&](const PfnRun& r) { return r.end <= first; });
    for (; run != existing.end() && run->first < end; ++run) {
      PfnRun part{std::max(first, run->first), std::min(end, run->end)};
      if (selection_.kept.Count(part) == part.end - part.first) continue;
      for (uint64_t pfn = part.first; pfn < part.end; ++pfn)
        if (!selection_.kept.Test(pfn)) Keep(needed.kind, pfn);
    }
  }

 private:
  void Keep(NeededKind kind, uint64_t pfn) {
    PageClass page_class = ClassOf(pfn);
    ++selection_.guard_hits[static_cast<size_t>(kind)][static_cast<size_t>(page_class)];
    if (page_class == PageClass::kHwpoison) return;
    selection_.kept.Set({pfn, pfn + 1});
    ClassCount& count = selection_.classes[static_cast<size_t>(page_class)];
    count.dropped -= std::min<uint64_t>(count.dropped, 1);
    ++count.kept;
  }

  // As what the page was left out: the head of its block says so.
  PageClass ClassOf(uint64_t pfn) {
    for (uint64_t order = 0; order <= kMaxOrder; ++order) {
      uint64_t head = pfn >> order << order;
      Verdict verdict = Judge(head);
      if (verdict.drop && head + (uint64_t{1} << verdict.order) > pfn) return verdict.page_class;
    }
    return PageClass::kKernel;
  }
  Verdict Judge(uint64_t pfn) {
    auto section =
        std::partition_point(map_.sections.begin(), map_.sections.end(),
                             [&](const MapSection& s) { return s.first.value + s.pages <= pfn; });
    if (section == map_.sections.end() || section->first.value > pfn) return {};
    size_t size = layout_.page_struct_size();
    ByteBuffer pages(2 * size);
    Status read = memory_->Read(section->mem_map + (pfn - section->first.value) * size, pages);
    if (!read) return {};
    return level_.Judge(layout_.Decode(pfn, pages.data(), pages.data() + size));
  }

  const PageLayout& layout_;
  const MemoryMap& map_;
  const DumpLevel& level_;
  Selection& selection_;
  int page_shift_;
  std::unique_ptr<KernelMemory> memory_;
};

void WarnOfHits(Selection& selection) {
  for (size_t kind = 0; kind < kNeededKindCount; ++kind) {
    for (size_t i = 0; i < kPageClassCount; ++i) {
      uint64_t pages = selection.guard_hits[kind][i];
      if (pages == 0) continue;
      std::string_view what = NeededKindName(static_cast<NeededKind>(kind));
      auto page_class = static_cast<PageClass>(i);
      selection.warnings.push_back(
          page_class == PageClass::kHwpoison
              ? fmt::format("{} pages of {} are failed memory and left out", pages, what)
              : fmt::format("{} pages of {} were to be left out as {} pages: kept; the "
                            "classification of this kernel may be wrong",
                            pages, what, PageClassName(page_class)));
    }
  }
}

}  // namespace

void GuardNeededPages(const CrashedKernel& kernel, const PageLayout& layout, const MemoryMap& map,
                      const DumpLevel& level, const NeededPages& needed, Selection& selection) {
  Guards guards(kernel, layout, map, level, selection);
  auto check = [&](const NeededRange& range) { guards.Check(range); };
  for (const NeededRange& range : needed.ranges) check(range);
  VisitNeededTables(kernel, check);
  VisitNeededMemoryMap(kernel, map, layout.page_struct_size(), check);
  WarnOfHits(selection);
}

}  // namespace kdumpkit
