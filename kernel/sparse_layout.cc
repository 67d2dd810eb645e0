// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/arch.h"
#include "kernel/sparse_sections.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kMaxEntry = 4096;       // bytes of struct mem_section: 16 or 32 today
constexpr uint64_t kMaxPageStruct = 4096;  // bytes of struct page

constexpr uint64_t DivideUp(uint64_t a, uint64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

// NUMBER(SECTION_SIZE_BITS) since Linux 5.14 (commit 4f5aecdff25f), NUMBER(MAX_PHYSMEM_BITS) since
// Linux 5.9 (commit 1d50e5d0c505).
Result<SectionBits> FindSectionBits(const CrashedKernel& kernel) {
  SectionBits defaults = kernel.arch().DefaultSectionBits(kernel.info());
  int64_t section = kernel.info().Number("SECTION_SIZE_BITS").value_or(defaults.section_size);
  int64_t physical = kernel.info().Number("MAX_PHYSMEM_BITS").value_or(defaults.max_physical);
  if (section <= kernel.page_shift() || physical <= section || physical > 64) {
    return Malformed("SECTION_SIZE_BITS={} and MAX_PHYSMEM_BITS={} do not fit", section, physical);
  }
  return SectionBits{static_cast<int>(section), static_cast<int>(physical)};
}

Result<uint64_t> Bounded(Result<uint64_t> value, uint64_t limit, std::string_view what) {
  if (value && (*value == 0 || *value > limit)) return Malformed("{}={}", what, *value);
  return value;
}

// No key says whether the kernel has SPARSEMEM_EXTREME, but the length of the array does: it has
// one element for each page full of sections, else one for each section.
uint64_t SectionsPerRoot(const CrashedKernel& kernel, const SparseLayout& layout) {
  uint64_t per_root = kernel.page_size() / layout.entry_size;
  std::optional<uint64_t> length = kernel.info().Length("mem_section");
  bool extreme = !length || *length == DivideUp(layout.sections, per_root);
  return extreme ? per_root : 0;
}

}  // namespace

Result<SparseLayout> SparseLayout::FromKernel(const CrashedKernel& kernel,
                                              const KernelFacts& facts) {
  SparseLayout layout;
  layout.symbol = TRY(facts.Symbol("mem_section"));
  layout.entry_size = TRY(Bounded(facts.Size("mem_section"), kMaxEntry, "SIZE(mem_section)"));
  layout.map_offset = TRY(facts.Offset("mem_section", "section_mem_map"));
  uint64_t word = static_cast<uint64_t>(kernel.machine().word_size);
  if (layout.entry_size < word || layout.map_offset > layout.entry_size - word) {
    return Malformed("OFFSET(mem_section.section_mem_map)={} is outside of mem_section",
                     layout.map_offset);
  }
  layout.page_struct = TRY(Bounded(facts.Size("page"), kMaxPageStruct, "SIZE(page)"));
  SectionBits bits = TRY(FindSectionBits(kernel));
  layout.section_bits = bits.section_size;
  layout.section_pages = uint64_t{1} << (bits.section_size - kernel.page_shift());
  layout.sections = uint64_t{1} << (bits.max_physical - bits.section_size);
  layout.word_mask = word == 8 ? ~uint64_t{0} : UINT32_MAX;
  layout.per_root = SectionsPerRoot(kernel, layout);
  return layout;
}

}  // namespace kdumpkit
