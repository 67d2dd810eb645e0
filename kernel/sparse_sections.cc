// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/sparse_sections.h"

#include <algorithm>

namespace kdumpkit {
namespace {

// Flags in the low bits of section_mem_map. Linux 6.15 has six of them at most, earlier kernels
// fewer; the bits above hold an address that is aligned to 64 bytes in all of them.
constexpr uint64_t kPresent = 1 << 0;    // SECTION_MARKED_PRESENT
constexpr uint64_t kHasMemMap = 1 << 1;  // SECTION_HAS_MEM_MAP
constexpr uint64_t kOnline = 1 << 2;     // SECTION_IS_ONLINE
constexpr uint64_t kFlagsMask = (1 << 6) - 1;

// Every section of a machine is kept in memory: more of them than any machine has are refused.
constexpr uint64_t kMaxSections = uint64_t{1} << 22;

// One reading of the array. The symbol is the address of the array, or of a pointer to it.
class SectionReader {
 public:
  SectionReader(const CrashedKernel& kernel, const SparseLayout& layout, VirtAddr array)
      : kernel_(kernel), layout_(layout), array_(array), memory_(kernel.NewMemory()) {}

  // Fails when a section cannot be what it seems: then `array` is not the array.
  Result<MemoryMap> ReadAll();

 private:
  Status ReadSections(const PhysRange& range);
  Status ReadSection(uint64_t number, PhysAddr memory);
  // Address of a struct mem_section; absent where there is none.
  Result<std::optional<VirtAddr>> EntryAddress(uint64_t number);
  Status CheckMemMap(uint64_t number, VirtAddr mem_map) const;
  void WarnOfLeftOut(MemoryMap& map) const;

  const CrashedKernel& kernel_;
  const SparseLayout& layout_;
  VirtAddr array_;
  std::unique_ptr<KernelMemory> memory_;
  std::vector<MapSection> sections_;
  uint64_t next_number_ = 0;  // sections below were looked at
  uint64_t without_map_ = 0;
  uint64_t unreadable_ = 0;
  std::string first_error_;
};

Result<std::optional<VirtAddr>> SectionReader::EntryAddress(uint64_t number) {
  if (layout_.per_root == 0) return std::optional(array_ + number * layout_.entry_size);
  uint64_t word = static_cast<uint64_t>(kernel_.machine().word_size);
  uint64_t root = TRY(memory_->ReadWord(array_ + number / layout_.per_root * word));
  if (root == 0) return std::optional<VirtAddr>();
  return std::optional(VirtAddr(root) + number % layout_.per_root * layout_.entry_size);
}

// The map of a section is in the kernel's half of the address space and aligned.
Status SectionReader::CheckMemMap(uint64_t number, VirtAddr mem_map) const {
  uint64_t top_bit = layout_.word_mask ^ (layout_.word_mask >> 1);
  if ((mem_map.value & top_bit) == 0 || mem_map.value % 4 != 0) {
    return Malformed("section {}: 0x{:x} is no address of struct pages", number, mem_map.value);
  }
  return {};
}

// `memory` is where the section's memory begins; the map may have a hole before.
Status SectionReader::ReadSection(uint64_t number, PhysAddr memory) {
  std::optional<VirtAddr> entry = TRY(EntryAddress(number));
  if (!entry) return {};
  uint64_t value = TRY(memory_->ReadWord(*entry + layout_.map_offset));
  if ((value & kPresent) == 0) return {};
  if ((value & kHasMemMap) == 0) {
    ++without_map_;
    return {};
  }
  // The kernel stores the address that page frame 0 would have.
  uint64_t first = number * layout_.section_pages;
  VirtAddr mem_map(((value & ~kFlagsMask) + first * layout_.page_struct) & layout_.word_mask);
  TRY(CheckMemMap(number, mem_map));
  uint64_t page = (memory.value >> kernel_.page_shift()) - first;
  if (auto target = memory_->Translate(mem_map + page * layout_.page_struct); !target) {
    if (unreadable_++ == 0) first_error_ = target.error().message();
    return {};
  }
  sections_.push_back({Pfn(first), layout_.section_pages, mem_map, (value & kOnline) != 0, *entry});
  return {};
}

Status SectionReader::ReadSections(const PhysRange& range) {
  if (range.size == 0) return {};
  uint64_t first = std::max(range.base.value >> layout_.section_bits, next_number_);
  uint64_t end = std::min(((range.end().value - 1) >> layout_.section_bits) + 1, layout_.sections);
  for (uint64_t number = first; number < end; ++number) {
    PhysAddr begin(number << layout_.section_bits);
    TRY(ReadSection(number, std::max(begin, range.base)));
  }
  next_number_ = std::max(end, next_number_);
  return {};
}

void SectionReader::WarnOfLeftOut(MemoryMap& map) const {
  if (without_map_ > 0) {
    map.warnings.push_back(fmt::format("{} memory sections have no memory map", without_map_));
  }
  if (unreadable_ > 0) {
    map.warnings.push_back(fmt::format("the memory maps of {} sections cannot be read: {}",
                                       unreadable_, first_error_));
  }
}

Result<MemoryMap> SectionReader::ReadAll() {
  for (const PhysRange& range : kernel_.source().ranges()) TRY(ReadSections(range));
  if (sections_.empty()) {
    return Malformed("no memory section at 0x{:x}{}{}", array_.value,
                     first_error_.empty() ? "" : ": ", first_error_);
  }
  // Where no section at all has the flag, the kernel does not use it.
  bool flag_used = std::any_of(sections_.begin(), sections_.end(),
                               [](const MapSection& section) { return section.online; });
  if (!flag_used) {
    for (MapSection& section : sections_) section.online = true;
  }
  MemoryMap map{.sections = std::move(sections_), .warnings = {}};
  WarnOfLeftOut(map);
  return map;
}

Status CheckSectionCount(const CrashedKernel& kernel, const SparseLayout& layout) {
  uint64_t count = 0;
  for (const PhysRange& range : kernel.source().ranges()) {
    count += (range.size >> layout.section_bits) + 2;
  }
  if (count <= kMaxSections) return {};
  return Unsupported("memory of more than {} sections", kMaxSections);
}

}  // namespace

Result<MemoryMap> ReadSparseSections(const CrashedKernel& kernel, const SparseLayout& layout) {
  TRY(CheckSectionCount(kernel, layout));
  // Kernels export the address of the array. Some exported that of the pointer to it: those before
  // Linux commit a0b1280368d1 ("kdump: write correct address of mem_section into vmcoreinfo") (in
  // v4.16), and what was made from a vmlinux file.
  Result<MemoryMap> direct = SectionReader(kernel, layout, layout.symbol).ReadAll();
  if (direct) return direct;
  Result<uint64_t> pointer = kernel.NewMemory()->ReadWord(layout.symbol);
  if (!pointer) return std::move(direct).In("reading mem_section");
  Result<MemoryMap> pointed = SectionReader(kernel, layout, VirtAddr(*pointer)).ReadAll();
  if (pointed) return pointed;
  return std::move(direct).In("reading mem_section");
}

}  // namespace kdumpkit
