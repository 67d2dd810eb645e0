// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/page_scan.h"

#include <algorithm>

namespace kdumpkit {
namespace {

// Struct pages are looked at in pieces of this many bytes, which a mapping of a huge page gives
// without a copy.
constexpr size_t kPieceBytes = size_t{1} << 20;
// When a piece cannot be read, this many bytes of struct pages are given up at a time.
constexpr uint64_t kSkipBytes = 4096;

}  // namespace

void ScanResult::Add(const ScanResult& other) {
  for (size_t i = 0; i < classes.size(); ++i) {
    classes[i].kept += other.classes[i].kept;
    classes[i].dropped += other.classes[i].dropped;
  }
  visited += other.visited;
  unreadable += other.unreadable;
  free_pages += other.free_pages;
  slab_pages += other.slab_pages;
  bad_orders += other.bad_orders;
  if (first_error.empty()) first_error = other.first_error;
  overhangs.insert(overhangs.end(), other.overhangs.begin(), other.overhangs.end());
}

PageScan::PageScan(const CrashedKernel& kernel, const PageLayout& layout, const DumpLevel& level,
                   std::span<const PfnRun> existing, PageBitmap& kept, ScanResult& result)
    : layout_(layout),
      level_(level),
      existing_(existing),
      kept_(kept),
      result_(result),
      memory_(kernel.NewMemory()) {}

void PageScan::Section(const MapSection& section) {
  uint64_t end = section.first.value + section.pages;
  dropped_until_ = block_end_ = 0;
  auto it = std::partition_point(existing_.begin(), existing_.end(),
                                 [&](const PfnRun& run) { return run.end <= section.first.value; });
  for (; it != existing_.end() && it->first < end; ++it)
    Run(section, {std::max(it->first, section.first.value), std::min(it->end, end)});
}

void PageScan::Run(const MapSection& section, PfnRun run) {
  uint64_t struct_size = layout_.page_struct_size();
  uint64_t section_end = section.first.value + section.pages;
  result_.visited += run.end - run.first;
  for (uint64_t pfn = run.first; pfn < run.end;) {
    VirtAddr address = section.mem_map + (pfn - section.first.value) * struct_size;
    // The order of a compound page stands in its second struct page, and heads are even frames:
    // pieces begin and end at even frames, so that both are always in one piece.
    uint64_t pages = pfn % 2 != 0 ? 1 : run.end - pfn;
    Result<ByteView> structs = Structs(address, pages);
    if (structs) {
      Judge(pfn, *structs, section_end);
      pfn += structs->size() / struct_size;
      continue;
    }
    if (result_.first_error.empty()) result_.first_error = structs.error().message();
    uint64_t skipped = std::max<uint64_t>(
        (kSkipBytes - address.value % kSkipBytes + struct_size - 1) / struct_size, 1);
    skipped = std::min(skipped, run.end - pfn);
    result_.unreadable += skipped;
    pfn += skipped;
  }
}

Result<ByteView> PageScan::Structs(VirtAddr address, uint64_t pages) {
  uint64_t struct_size = layout_.page_struct_size();
  uint64_t wanted = std::min(pages, kPieceBytes / struct_size / 2 * 2) * struct_size;
  ByteView view = TRY(memory_->View(address, wanted));
  if (view.size() == wanted) return view;
  uint64_t whole = view.size() / struct_size;
  if (whole >= 2) return view.first(whole / 2 * 2 * struct_size);
  scratch_.resize(std::min<uint64_t>(pages, 2) * struct_size);
  TRY(memory_->Read(address, scratch_));
  return ByteView(scratch_);
}

void PageScan::Judge(uint64_t pfn, ByteView structs, uint64_t section_end) {
  size_t struct_size = layout_.page_struct_size();
  const std::byte* end = structs.data() + structs.size();
  for (const std::byte* page = structs.data(); page < end; page += struct_size, ++pfn) {
    if (pfn < dropped_until_) continue;
    const std::byte* next = page + struct_size < end ? page + struct_size : nullptr;
    Account(pfn, layout_.Decode(pfn, page, next), section_end);
  }
}

void PageScan::Account(uint64_t pfn, const PageFacts& facts, uint64_t section_end) {
  Verdict verdict = level_.Judge(facts);
  if ((facts.bits & kPageBuddy) != 0 && !facts.bad_order)
    result_.free_pages += uint64_t{1} << facts.order;
  result_.slab_pages += uint64_t{(facts.bits & kPageSlab) != 0} << facts.order;
  if (facts.bad_order) ++result_.bad_orders;
  if (verdict.drop) return Drop(pfn, verdict, section_end);
  // Not skipped like a dropped block: a page inside it may still be judged for itself.
  if (pfn >= block_end_) {
    block_end_ = pfn + (uint64_t{1} << verdict.order);
    block_class_ = verdict.page_class;
  }
  ++result_.classes[static_cast<size_t>(block_class_)].kept;
}

void PageScan::Drop(uint64_t pfn, const Verdict& verdict, uint64_t section_end) {
  PfnRun run{pfn, pfn + (uint64_t{1} << verdict.order)};
  dropped_until_ = run.end;
  if (run.end > section_end) {
    result_.overhangs.push_back({{section_end, run.end}, verdict.page_class});
    run.end = section_end;
  }
  result_.classes[static_cast<size_t>(verdict.page_class)].dropped += kept_.Clear(run);
}

}  // namespace kdumpkit
