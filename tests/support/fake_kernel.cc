// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/fake_kernel.h"

#include <fmt/format.h>

namespace kdumpkit {
namespace {

constexpr uint64_t kStartKernelMap = 0xffffffff80000000;
constexpr uint64_t kImageVirtual = 0xffffffff84000000;
constexpr uint64_t kImagePhysical = 0x1000000;
constexpr uint64_t kStructPages = 0x2000000;  // physical
constexpr uint64_t kStructPageSize = 64;
constexpr uint64_t kTable = 0x63;  // entry bits of a table
constexpr uint64_t kPage = 0x1e3;  // entry bits of a large page

constexpr uint64_t kSectionSize = 32;     // SIZE(mem_section)
constexpr uint64_t kSectionFlags = 0x0f;  // present, with a map, online, early
constexpr uint64_t kZoneSize = 1536, kVmStat = 1344, kNrZones = 171552;

}  // namespace

FakeKernel::FakeKernel(const FakeKernelOptions& options) : options_(options) {
  memory_.AddRange(PhysAddr(0), options_.memory);
  SetKey("OSRELEASE", "6.12.0-fake");
  SetKey("PAGESIZE", "4096");
  BuildTables();
  BuildSections();
  BuildNodes();
  BuildUtsname();
}

std::string FakeKernel::vmcoreinfo() const {
  std::string text;
  for (const auto& [key, value] : keys_) text += fmt::format("{}={}\n", key, value);
  return text + PageStructs(FindEra(options_.era), 0).Vmcoreinfo();
}

VirtAddr FakeKernel::InImage(uint64_t offset) const { return VirtAddr(kImageVirtual + offset); }

PhysAddr FakeKernel::Physical(VirtAddr image_address) const {
  return PhysAddr(image_address.value - kImageVirtual + kImagePhysical);
}

VirtAddr FakeKernel::vmemmap() const {
  return VirtAddr(options_.five_levels ? 0xffd4000000000000 : 0xffffea0000000000);
}

VirtAddr FakeKernel::direct_map() const {
  return VirtAddr(options_.five_levels ? 0xff11000000000000 : 0xffff888000000000);
}

PhysAddr FakeKernel::struct_page(uint64_t pfn) const {
  return PhysAddr(kStructPages + pfn * kStructPageSize);
}

void FakeKernel::PutWord(uint64_t image_offset, uint64_t value) {
  memory_.Put(PhysAddr(kImagePhysical + image_offset), value);
}

PhysAddr FakeKernel::TableEntry(VirtAddr address, int shift) {
  uint64_t table = kImagePhysical + kTopTable;
  for (int level = options_.five_levels ? 48 : 39;; level -= 9) {
    PhysAddr entry(table + ((address.value >> level) & 0x1ff) * 8);
    if (level == shift) return entry;
    uint64_t value = LoadUnchecked<uint64_t>(memory_.Copy(entry, 8).data(), ByteOrder::kLittle);
    if (value == 0) {
      value = (kImagePhysical + next_table_) | kTable;
      next_table_ += 0x1000;
      memory_.Put(entry, value);
    }
    table = value & ~uint64_t{0xfff};
  }
}

void FakeKernel::Map(VirtAddr address, PhysAddr target, int shift) {
  memory_.Put(TableEntry(address, shift), target.value | kPage);
}

void FakeKernel::BuildTables() {
  SetKey("SYMBOL(init_top_pgt)", fmt::format("{:x}", InImage(kTopTable).value));
  SetKey("SYMBOL(_stext)", fmt::format("{:x}", InImage(0).value));
  SetKey("NUMBER(pgtable_l5_enabled)", options_.five_levels ? "1" : "0");
  // Negative, as physical addresses below those of the link are.
  int64_t phys_base =
      static_cast<int64_t>(kImagePhysical) - static_cast<int64_t>(kImageVirtual - kStartKernelMap);
  SetKey("NUMBER(phys_base)", fmt::format("{}", phys_base));
  SetKey("NUMBER(sme_mask)", "0");
  Map(VirtAddr(kImageVirtual), PhysAddr(kImagePhysical), 21);
  Map(direct_map(), PhysAddr(0), 30);
  uint64_t bytes = options_.memory / 4096 * kStructPageSize;
  for (uint64_t at = 0; at < bytes; at += uint64_t{1} << 21) {
    Map(vmemmap() + at, PhysAddr(kStructPages + at), 21);
  }
}

PhysAddr FakeKernel::SectionEntry(uint64_t section) const {
  bool flat = options_.sections == FakeKernelOptions::SectionTable::kFlat;
  return Physical(InImage((flat ? kSectionArray : kSectionRoot) + section * kSectionSize));
}

void FakeKernel::BuildSections() {
  using Table = FakeKernelOptions::SectionTable;
  bool flat = options_.sections == Table::kFlat;
  int physical_bits = options_.five_levels ? 52 : 46;
  uint64_t count = uint64_t{1} << (physical_bits - 27);
  uint64_t symbol = options_.sections == Table::kPointerToExtreme ? kSectionPointer : kSectionArray;
  SetKey("SYMBOL(mem_section)", fmt::format("{:x}", InImage(symbol).value));
  SetKey("LENGTH(mem_section)", fmt::format("{}", flat ? count : count / (4096 / kSectionSize)));
  SetKey("SIZE(mem_section)", fmt::format("{}", kSectionSize));
  SetKey("OFFSET(mem_section.section_mem_map)", "0");
  SetKey("NUMBER(SECTION_SIZE_BITS)", "27");
  SetKey("NUMBER(MAX_PHYSMEM_BITS)", fmt::format("{}", physical_bits));
  PutWord(kSectionPointer, InImage(kSectionArray).value);
  if (!flat) PutWord(kSectionArray, InImage(kSectionRoot).value);
  uint64_t sections = (options_.memory / 4096 + kSectionPages - 1) / kSectionPages;
  for (uint64_t section = 0; section < sections; ++section) {
    SetSectionFlags(section, kSectionFlags);
  }
}

void FakeKernel::SetSectionFlags(uint64_t section, uint64_t flags) {
  // The stored address is that of page frame 0, so that it is the same for every section here.
  memory_.Put(SectionEntry(section), vmemmap().value | flags);
}

void FakeKernel::PutPages(uint64_t first_pfn, const PageStructs& pages) {
  memory_.Write(struct_page(first_pfn), pages.bytes());
}

void FakeKernel::BuildNodes() {
  SetKey("OFFSET(pglist_data.node_zones)", "0");
  SetKey("OFFSET(pglist_data.nr_zones)", fmt::format("{}", kNrZones));
  SetKey("SIZE(zone)", fmt::format("{}", kZoneSize));
  SetKey("OFFSET(zone.vm_stat)", fmt::format("{}", kVmStat));
  SetKey("NUMBER(NR_FREE_PAGES)", "0");
  if (options_.numa) {
    SetKey("SYMBOL(node_data)", fmt::format("{:x}", InImage(kNodeData).value));
    SetKey("LENGTH(node_data)", "64");
    PutWord(kNodeData, InImage(kNode).value);
  } else {
    SetKey("SYMBOL(contig_page_data)", fmt::format("{:x}", InImage(kNode).value));
  }
  memory_.Put<uint32_t>(Physical(InImage(kNode + kNrZones)), kZones);
}

void FakeKernel::SetFreePages(int zone, int64_t pages) {
  PutWord(kNode + static_cast<uint64_t>(zone) * kZoneSize + kVmStat, static_cast<uint64_t>(pages));
}

void FakeKernel::BuildUtsname() {
  SetKey("SYMBOL(init_uts_ns)", fmt::format("{:x}", InImage(kUtsname).value));
  SetKey("OFFSET(uts_namespace.name)", "8");
  uint64_t at = kUtsname + 8;
  for (std::string_view field : {"Linux", "crashed", "6.12.0-fake", "#1 SMP", "x86_64", "(none)"}) {
    memory_.Write(Physical(InImage(at)), AsBytes(field));
    at += 65;
  }
}

}  // namespace kdumpkit
