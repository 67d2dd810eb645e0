// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/vmemmap.h"

#include <algorithm>

namespace kdumpkit {
namespace {

// Frames in ascending order mostly, so runs of them stay few.
void AddFrame(uint64_t pfn, std::vector<PfnRun>& runs) {
  if (!runs.empty() && runs.back().end == pfn) {
    ++runs.back().end;
  } else if (runs.empty() || pfn < runs.back().first || pfn >= runs.back().end) {
    runs.push_back({pfn, pfn + 1});
  }
}

std::vector<PfnRun> Merged(std::vector<PfnRun> runs) {
  std::ranges::sort(runs, {}, &PfnRun::first);
  std::vector<PfnRun> merged;
  for (const PfnRun& run : runs) {
    if (!merged.empty() && run.first <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, run.end);
    } else {
      merged.push_back(run);
    }
  }
  return merged;
}

// Whether all of `run` exists.
bool Exists(PfnRun run, std::span<const PfnRun> existing) {
  auto found = std::ranges::partition_point(
      existing, [&](const PfnRun& candidate) { return candidate.end <= run.first; });
  return found != existing.end() && found->first <= run.first && run.end <= found->end;
}

// The page frames that the memory map is in, by whether anything in them is still wanted.
struct MapFrames {
  std::vector<PfnRun> idle;
  std::vector<PfnRun> needed;
};

// The frames that struct pages in bytes [begin, end) of a section's map speak of.
PfnRun Described(const MapSection& section, uint64_t begin, uint64_t end, uint64_t struct_size) {
  uint64_t last = std::min((end + struct_size - 1) / struct_size, section.pages);
  return {section.first.value + begin / struct_size, section.first.value + last};
}

class MapWalk {
 public:
  MapWalk(const CrashedKernel& kernel, uint64_t struct_size, std::span<const PfnRun> existing,
          const PageBitmap& kept)
      : memory_(kernel.NewMemory()),
        page_(kernel.page_size()),
        struct_size_(struct_size),
        existing_(existing),
        kept_(kept) {}

  // A page that also holds something else, before or behind the section's map, is never idle.
  void Section(const MapSection& section) {
    uint64_t bytes = section.pages * struct_size_;
    VirtAddr start(section.mem_map.value / page_ * page_);
    for (VirtAddr page = start; page < section.mem_map + bytes; page = page + page_) {
      Result<PhysAddr> physical = memory_->Translate(page);
      if (!physical) continue;
      bool whole = page >= section.mem_map && page - section.mem_map + page_ <= bytes;
      bool idle = whole && IsIdle(section, page - section.mem_map);
      AddFrame(physical->value / page_, idle ? frames_.idle : frames_.needed);
    }
  }

  MapFrames Take() { return {Merged(std::move(frames_.idle)), Merged(std::move(frames_.needed))}; }

 private:
  bool IsIdle(const MapSection& section, uint64_t begin) const {
    PfnRun run = Described(section, begin, begin + page_, struct_size_);
    return Exists(run, existing_) && kept_.Count(run) == 0;
  }

  std::unique_ptr<KernelMemory> memory_;
  uint64_t page_;
  uint64_t struct_size_;
  std::span<const PfnRun> existing_;
  const PageBitmap& kept_;
  MapFrames frames_;
};

}  // namespace

uint64_t DropVmemmap(const CrashedKernel& kernel, const MemoryMap& map, uint64_t struct_size,
                     std::span<const PfnRun> existing, PageBitmap& kept) {
  MapWalk walk(kernel, struct_size, existing, kept);
  for (const MapSection& section : map.sections) walk.Section(section);
  MapFrames frames = walk.Take();
  uint64_t cleared = 0;
  auto needed = frames.needed.begin();
  for (PfnRun idle : frames.idle) {
    while (idle.first < idle.end) {
      while (needed != frames.needed.end() && needed->end <= idle.first) ++needed;
      uint64_t until = needed == frames.needed.end() ? idle.end : needed->first;
      cleared += kept.Clear({idle.first, std::clamp(until, idle.first, idle.end)});
      if (needed == frames.needed.end() || until >= idle.end) break;
      idle.first = needed->end;
    }
  }
  return cleared;
}

}  // namespace kdumpkit
