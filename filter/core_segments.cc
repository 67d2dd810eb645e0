// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/core_segments.h"

#include <algorithm>

#include "kernel/kernel_map.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kMapped = uint64_t{4} << 20;

// All memory of a dump that is filtered again: what it has need not be what it calls memory.
std::vector<PhysRange> AllMemory(const Input& input) {
  std::vector<PhysRange> memory = input.existing();
  std::span<const PhysRange> present = input.memory().ranges();
  memory.insert(memory.end(), present.begin(), present.end());
  return MergeRanges(std::move(memory));
}

bool HasAddresses(const Vmcore& vmcore) {
  return std::ranges::any_of(vmcore.segments(),
                             [](const Segment& segment) { return segment.vaddr.value != 0; });
}

std::vector<CoreMapping> MappingsOf(const Vmcore& vmcore) {
  std::vector<CoreMapping> mappings;
  for (const Segment& segment : vmcore.segments())
    if (segment.memory_size > 0)
      mappings.push_back({segment.vaddr, {segment.paddr, segment.memory_size}});
  return mappings;
}

// One mapping's segments.
class Cutter {
 public:
  Cutter(const CoreMapping& mapping, const PageBitmap& kept, int shift,
         std::vector<ElfSegment>& segments)
      : mapping_(mapping), kept_(kept), shift_(shift), segments_(segments) {}

  void Cut() {
    uint64_t limit = mapping_.memory.end().value;
    number_ = kept_.Count({0, mapping_.memory.base.value >> shift_});
    std::optional<PfnRun> run = RunFrom(mapping_.memory.base.value >> shift_);
    uint64_t first = run ? Bytes(run->first) : limit;
    if (first > mapping_.memory.base.value) Put(mapping_.memory.base.value, 0, first);
    while (run) {
      std::optional<PfnRun> next = RunFrom(run->end);
      Put(Bytes(run->first), Bytes(run->end) - Bytes(run->first),
          next ? Bytes(next->first) : limit);
      number_ += run->end - run->first;
      run = next;
    }
  }

 private:
  // The next kept pages of the mapping.
  std::optional<PfnRun> RunFrom(uint64_t pfn) const {
    uint64_t end = ((mapping_.memory.end().value - 1) >> shift_) + 1;
    std::optional<PfnRun> run = kept_.NextRun(pfn);
    if (!run || run->first >= end) return std::nullopt;
    return PfnRun{run->first, std::min(run->end, end)};
  }
  // Where the page begins; not outside of the mapping, which may begin and end within a page.
  uint64_t Bytes(uint64_t pfn) const {
    return std::clamp(pfn << shift_, mapping_.memory.base.value, mapping_.memory.end().value);
  }
  void Put(uint64_t begin, uint64_t file_size, uint64_t end) {
    uint64_t skip = begin - mapping_.memory.base.value;
    VirtAddr vaddr = mapping_.vaddr ? *mapping_.vaddr + skip : VirtAddr(0);
    segments_.push_back({vaddr, PhysAddr(begin), file_size, end - begin, number_});
  }

  const CoreMapping& mapping_;
  const PageBitmap& kept_;
  int shift_;
  std::vector<ElfSegment>& segments_;
  uint64_t number_ = 0;  // of the first page of the next segment
};

}  // namespace

std::vector<CoreMapping> FindMappings(const Input& input, const CrashedKernel* kernel) {
  if (input.elf && HasAddresses(*input.elf)) return MappingsOf(*input.elf);
  std::vector<PhysRange> memory = AllMemory(input);
  std::vector<CoreMapping> mappings;
  std::optional<ImageMapping> image = kernel != nullptr ? FindImage(*kernel) : std::nullopt;
  if (image)
    for (const PhysRange& range : IntersectRanges({image->memory}, memory))
      mappings.push_back({image->address + (range.base - image->memory.base), range});
  std::optional<VirtAddr> direct = kernel != nullptr ? FindDirectMap(*kernel) : std::nullopt;
  for (const PhysRange& range : memory) {
    std::optional<VirtAddr> vaddr;
    if (direct) vaddr = *direct + range.base.value;
    mappings.push_back({vaddr, range});
  }
  return mappings;
}

std::vector<ElfSegment> CutSegments(std::span<const CoreMapping> mappings, const PageBitmap& kept,
                                    int page_shift) {
  std::vector<ElfSegment> segments;
  for (const CoreMapping& mapping : mappings) Cutter(mapping, kept, page_shift, segments).Cut();
  return segments;
}

std::vector<ElfRun> PlacePages(const PageBitmap& kept, int page_shift) {
  std::vector<ElfRun> runs;
  uint64_t number = 0, place = 0, end = 0;
  for (std::optional<PfnRun> run = kept.NextRun(0); run; run = kept.NextRun(run->end)) {
    uint64_t gap = run->first - end;
    if (!runs.empty() && gap << page_shift < kMapped) place += gap;
    runs.push_back({number, place});
    number += run->end - run->first;
    place += run->end - run->first;
    end = run->end;
  }
  return runs;
}

}  // namespace kdumpkit
