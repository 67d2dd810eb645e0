// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/synthetic_vmcore.h"

#include <elf.h>

#include <algorithm>
#include <string>

namespace kdumpkit {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kPages = kSyntheticMemory / kPage;

// Where things are, as physical addresses. The kernel's image is the first 2 MiB.
constexpr uint64_t kTables = 0;  // init_top_pgt, then others
constexpr uint64_t kUtsname = 0x100000, kNodeData = 0x101000, kNode = 0x102000;
constexpr uint64_t kSectionRoots = 0x130000, kSections = 0x131000;
constexpr uint64_t kRing = 0x140000, kRingPointer = 0x141000, kDescs = 0x142000, kInfos = 0x143000,
                   kText = 0x148000;
constexpr uint64_t kStructPages = 0x200000;  // 2 MiB: one section's
constexpr uint64_t kData = 0x400000;         // of the kernel, with content; up to kFree
// The first page frames of a kind.
constexpr uint64_t kFree = 2048, kAnonymous = 2560, kFileCache = 3072, kZero = 3584;

constexpr uint64_t kStartKernelMap = 0xffffffff80000000;
constexpr uint64_t kImageVirtual = 0xffffffff81000000;
constexpr uint64_t kDirectMap = 0xffff888000000000;
constexpr uint64_t kVmemmap = 0xffffea0000000000;
constexpr uint64_t kTableBits = 0x63, kLeafBits = 0x1e3;  // of page table entries

// struct page and other sizes as Linux 6.12 has them on x86_64.
constexpr uint64_t kPageSize = 64, kFlagsOf = 0, kMappingOf = 24, kPrivateOf = 40, kMapcountOf = 48;
constexpr int kLru = 5, kSwapBacked = 17;
constexpr uint32_t kBuddy = 0xf0000000;  // in _mapcount
constexpr uint64_t kFreeOrder = 9;
constexpr uint64_t kSectionFlags = 0x0f;  // present, mapped, online, early
constexpr uint64_t kVmStat = 1344, kNrZones = 171552;
// Of the log: so many records and bytes of text, as powers of two.
constexpr uint64_t kCountBits = 5, kTextBits = 12, kDescSize = 24, kInfoSize = 88;
constexpr uint64_t kFinalized = uint64_t{2} << 62;

constexpr std::string_view kVmcoreinfo = R"(OSRELEASE=6.12.0-kdumpctl-test
PAGESIZE=4096
NUMBER(pgtable_l5_enabled)=0
NUMBER(sme_mask)=0
LENGTH(mem_section)=4096
SIZE(mem_section)=32
OFFSET(mem_section.section_mem_map)=0
NUMBER(SECTION_SIZE_BITS)=27
NUMBER(MAX_PHYSMEM_BITS)=46
OFFSET(pglist_data.node_zones)=0
OFFSET(pglist_data.nr_zones)=171552
SIZE(zone)=1536
OFFSET(zone.vm_stat)=1344
NUMBER(NR_FREE_PAGES)=0
LENGTH(node_data)=1
OFFSET(uts_namespace.name)=8
SIZE(page)=64
LENGTH(zone.free_area)=11
OFFSET(page.flags)=0
OFFSET(page.compound_head)=8
OFFSET(page.mapping)=24
OFFSET(page.private)=40
OFFSET(page._mapcount)=48
NUMBER(PG_lru)=5
NUMBER(PG_private)=14
NUMBER(PG_swapcache)=10
NUMBER(PG_swapbacked)=17
NUMBER(PG_hwpoison)=20
NUMBER(PG_head_mask)=64
NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-268435456
NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-251658240
NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376
NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-201326592
SIZE(printk_ringbuffer)=88
OFFSET(printk_ringbuffer.desc_ring)=0
OFFSET(printk_ringbuffer.text_data_ring)=48
SIZE(prb_desc_ring)=48
OFFSET(prb_desc_ring.count_bits)=0
OFFSET(prb_desc_ring.descs)=8
OFFSET(prb_desc_ring.infos)=16
OFFSET(prb_desc_ring.head_id)=24
OFFSET(prb_desc_ring.tail_id)=32
SIZE(prb_desc)=24
OFFSET(prb_desc.state_var)=0
OFFSET(prb_desc.text_blk_lpos)=8
OFFSET(prb_data_blk_lpos.begin)=0
OFFSET(prb_data_blk_lpos.next)=8
SIZE(prb_data_ring)=32
OFFSET(prb_data_ring.size_bits)=0
OFFSET(prb_data_ring.data)=8
SIZE(printk_info)=88
OFFSET(printk_info.seq)=0
OFFSET(printk_info.ts_nsec)=8
OFFSET(printk_info.text_len)=16
OFFSET(printk_info.caller_id)=20
OFFSET(printk_info.dev_info)=24
OFFSET(dev_printk_info.subsystem)=0
OFFSET(dev_printk_info.device)=16
LENGTH(printk_info_subsystem)=16
LENGTH(printk_info_device)=48
OFFSET(atomic_long_t.counter)=0
)";

class Machine {
 public:
  explicit Machine(std::string_view line) {
    MapAll();
    DescribeMemory();
    Name();
    Print(line);
    FillData();
  }

  const ByteBuffer& memory() const { return memory_; }
  static std::string Vmcoreinfo();

 private:
  static uint64_t InImage(uint64_t at) { return kImageVirtual + at; }
  void Put(uint64_t at, uint64_t value) {
    StoreUnchecked(memory_.data() + at, value, ByteOrder::kLittle);
  }
  void Put32(uint64_t at, uint32_t value) {
    StoreUnchecked(memory_.data() + at, value, ByteOrder::kLittle);
  }
  void PutText(uint64_t at, std::string_view text) {
    std::ranges::copy(AsBytes(text), memory_.begin() + static_cast<ptrdiff_t>(at));
  }

  void Map(uint64_t address, uint64_t target, int shift);
  void MapAll();
  void DescribeMemory();
  void DescribePage(uint64_t pfn);
  void Name();
  void Print(std::string_view line);
  void AddRecord(uint64_t number, std::string_view text, uint64_t& position);
  void FillData();

  ByteBuffer memory_ = ByteBuffer(kSyntheticMemory);
  uint64_t next_table_ = kTables + kPage;
};

// Four levels; `shift` is that of the entry: 21 or 30.
void Machine::Map(uint64_t address, uint64_t target, int shift) {
  uint64_t table = kTables;
  for (int level = 39; level > shift; level -= 9) {
    uint64_t entry = table + ((address >> level) & 0x1ff) * 8;
    uint64_t next = LoadUnchecked<uint64_t>(memory_.data() + entry, ByteOrder::kLittle);
    if (next == 0) {
      next = next_table_ | kTableBits;
      next_table_ += kPage;
      Put(entry, next);
    }
    table = next & ~uint64_t{0xfff};
  }
  Put(table + ((address >> shift) & 0x1ff) * 8, target | kLeafBits);
}

void Machine::MapAll() {
  Map(kImageVirtual, 0, 21);
  Map(kDirectMap, 0, 30);
  Map(kVmemmap, kStructPages, 21);
}

void Machine::DescribePage(uint64_t pfn) {
  uint64_t page = kStructPages + pfn * kPageSize;
  bool cache = pfn >= kFileCache && pfn < kZero;
  bool anonymous = pfn >= kAnonymous && pfn < kFileCache;
  bool free = pfn >= kFree && pfn < kAnonymous && (pfn - kFree) % (1 << kFreeOrder) == 0;
  uint64_t flags = cache || anonymous ? uint64_t{1} << kLru : 0;
  if (anonymous) flags |= uint64_t{1} << kSwapBacked;
  Put(page + kFlagsOf, flags);
  if (cache || anonymous) Put(page + kMappingOf, anonymous ? 0x1001 : 0x1000);
  if (free) Put(page + kPrivateOf, kFreeOrder);
  Put32(page + kMapcountOf, free ? kBuddy : UINT32_MAX);
}

void Machine::DescribeMemory() {
  for (uint64_t pfn = 0; pfn < kPages; ++pfn) DescribePage(pfn);
  Put(kSectionRoots, InImage(kSections));
  Put(kSections, kVmemmap | kSectionFlags);
  Put(kNodeData, InImage(kNode));
  Put32(kNode + kNrZones, 1);
  Put(kNode + kVmStat, kAnonymous - kFree);
}

void Machine::Name() {
  uint64_t at = kUtsname + 8;
  for (std::string_view field :
       {"Linux", "kdumpctl-test", "6.12.0-kdumpctl-test", "#1 SMP", "x86_64", "(none)"}) {
    PutText(at, field);
    at += 65;
  }
}

// A printk ring (Linux commit 896fbe20b4e2 ("printk: use the lockless ringbuffer") (in v5.10)) that
// has not been gone round.
void Machine::AddRecord(uint64_t number, std::string_view text, uint64_t& position) {
  uint64_t next = position + (8 + text.size() + 7) / 8 * 8;
  Put(kText + position, number);
  PutText(kText + position + 8, text);
  Put(kDescs + number * kDescSize, number | kFinalized);
  Put(kDescs + number * kDescSize + 8, position);
  Put(kDescs + number * kDescSize + 16, next);
  Put(kInfos + number * kInfoSize, number);
  Put(kInfos + number * kInfoSize + 8, number * 1000000000);
  Put(kInfos + number * kInfoSize + 16, text.size());
  position = next;
}

void Machine::Print(std::string_view line) {
  Put(kRingPointer, InImage(kRing));
  Put32(kRing, kCountBits);
  Put(kRing + 8, InImage(kDescs));
  Put(kRing + 16, InImage(kInfos));
  Put32(kRing + 48, kTextBits);
  Put(kRing + 56, InImage(kText));
  uint64_t position = 0;
  uint64_t number = 0;
  for (std::string_view text :
       {std::string_view("Linux version 6.12.0-kdumpctl-test (no kernel, a test by kdumpctl)"),
        std::string_view("Kernel panic - not syncing: no panic, a test by kdumpctl"), line})
    AddRecord(number++, text.substr(0, 500), position);
  Put(kRing + 24, number - 1);  // head
  Put(kRing + 32, 0);           // tail
}

// Half of each page is noise, so that a dump has about half its size.
void Machine::FillData() {
  uint64_t state = 0x9e3779b97f4a7c15;
  for (uint64_t at = kData; at < kFree * kPage; at += 8) {
    // xorshift64 (Marsaglia 2003)
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    if (at % kPage < kPage / 2) Put(at, state);
  }
}

std::string Machine::Vmcoreinfo() {
  std::string text(kVmcoreinfo);
  auto symbol = [&](const char* name, uint64_t at) {
    text += fmt::format("SYMBOL({})={:x}\n", name, InImage(at));
  };
  symbol("init_top_pgt", kTables);
  symbol("_stext", 0);
  symbol("mem_section", kSectionRoots);
  symbol("node_data", kNodeData);
  symbol("init_uts_ns", kUtsname);
  symbol("prb", kRingPointer);
  // The image is at physical address 0.
  text += fmt::format("NUMBER(phys_base)=-{}\n", kImageVirtual - kStartKernelMap);
  return text;
}

void PutNote(ByteWriter& out, std::string_view name, uint32_t type, ByteView content) {
  auto pad = [&out] { out.PadTo((out.size() + 3) / 4 * 4); };
  out.Put(static_cast<uint32_t>(name.size() + 1));
  out.Put(static_cast<uint32_t>(content.size()));
  out.Put(type);
  out.PutBytes(AsBytes(std::string(name) + '\0'));
  pad();
  out.PutBytes(content);
  pad();
}

ByteBuffer Notes() {
  constexpr size_t kRegisters = 336;  // struct elf_prstatus of x86_64
  ByteWriter out(ByteOrder::kLittle);
  PutNote(out, "CORE", NT_PRSTATUS, ByteBuffer(kRegisters));
  PutNote(out, "VMCOREINFO", 0, AsBytes(Machine::Vmcoreinfo()));
  return std::move(out).Take();
}

void PutElfHeader(ByteWriter& out, uint16_t programs) {
  const uint8_t ident[EI_NIDENT] = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT};
  out.PutBytes(std::as_bytes(std::span(ident)));
  out.Put(uint16_t{ET_CORE});
  out.Put(uint16_t{EM_X86_64});
  out.Put(uint32_t{EV_CURRENT});
  out.Put(uint64_t{0});                   // e_entry
  out.Put(uint64_t{sizeof(Elf64_Ehdr)});  // e_phoff
  out.Put(uint64_t{0});                   // e_shoff
  out.Put(uint32_t{0});                   // e_flags
  out.Put(uint16_t{sizeof(Elf64_Ehdr)});
  out.Put(uint16_t{sizeof(Elf64_Phdr)});
  out.Put(programs);
  out.PadTo(sizeof(Elf64_Ehdr));
}

void PutProgramHeader(ByteWriter& out, uint32_t type, uint64_t offset, uint64_t address,
                      uint64_t size) {
  out.Put(type);
  out.Put(uint32_t{PF_R | PF_W | PF_X});
  for (uint64_t field : {offset, address, uint64_t{0}, size, size, uint64_t{0}}) out.Put(field);
}

}  // namespace

ByteBuffer SyntheticVmcore(std::string_view line) {
  Machine machine(line);
  ByteBuffer notes = Notes();
  uint64_t memory_offset = (kPage + notes.size() + kPage - 1) / kPage * kPage;
  ByteWriter out(ByteOrder::kLittle);
  PutElfHeader(out, 2);
  PutProgramHeader(out, PT_NOTE, kPage, 0, notes.size());
  PutProgramHeader(out, PT_LOAD, memory_offset, kDirectMap, kSyntheticMemory);
  out.PadTo(kPage);
  out.PutBytes(notes);
  out.PadTo(memory_offset);
  out.PutBytes(machine.memory());
  return std::move(out).Take();
}

}  // namespace kdumpkit
