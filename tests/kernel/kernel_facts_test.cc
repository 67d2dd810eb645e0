// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kernel_facts.h"

#include <gtest/gtest.h>

#include "kernel/kernel_names.h"
#include "kernel/page_layout.h"
#include "tests/support/btf_builder.h"
#include "tests/support/identity_kernel.h"
#include "tests/support/kallsyms_builder.h"
#include "tests/support/page_structs.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kText = 0x100000, kBtf = 0x200000, kTables = 0x300000, kMemory = 0x400000;
constexpr uint32_t kWord = 64;  // bits

// struct page and the enums as the kernels of an era have them (tests/support/page_structs.h).
ByteBuffer BtfOf(const KernelEra& era) {
  BtfBuilder builder;
  uint32_t word = builder.Int("long unsigned int", 8);
  uint32_t byte = builder.Int("unsigned char", 1);
  uint32_t list = builder.Struct("list_head", 16, {{"next", word, 0}, {"prev", word, kWord}});
  std::vector<BtfBuilder::Member> in_tail = {{era.compound_head, word, 0}};
  if (era.compound == KernelEra::Compound::kPageBytes) {
    in_tail.push_back({"compound_dtor", byte, kWord});
    in_tail.push_back({"compound_order", byte, kWord + 8});
  }
  uint32_t in_list = builder.Struct(
      "", 40, {{"lru", list, 0}, {"mapping", word, 2 * kWord}, {"private", word, 4 * kWord}});
  uint32_t tail = builder.Struct("", 40, in_tail);
  uint32_t middle = builder.Struct("", 40, {{"", in_list, 0}, {"", tail, 0}}, Btf::kUnion);
  uint32_t type =
      builder.Struct("", 4, {{"_mapcount", word, 0}, {"page_type", word, 0}}, Btf::kUnion);
  builder.Struct("page", 64, {{"flags", word, 0}, {"", middle, kWord}, {"", type, 6 * kWord}});
  if (era.compound == KernelEra::Compound::kFolioBytes) {
    builder.Struct("folio", 128,
                   {{"_folio_dtor", byte, 10 * kWord}, {"_folio_order", byte, 10 * kWord + 8}});
  }
  builder.Struct("zone", 1536, {{"free_area", builder.Array(list, 11), 256 * 8}});
  std::vector<BtfBuilder::Value> flags = {{"PG_lru", era.lru},
                                          {"PG_private", era.private_data},
                                          {"PG_swapcache", era.swapcache},
                                          {"PG_swapbacked", era.swapbacked},
                                          {"PG_hwpoison", era.hwpoison},
                                          {"PG_head", era.head}};
  if (era.slab_flag >= 0) flags.push_back({"PG_slab", era.slab_flag});
  if (era.hugetlb_flag >= 0) flags.push_back({"PG_hugetlb", era.hugetlb_flag});
  builder.Enum("pageflags", flags);
  if (era.compound != KernelEra::Compound::kFlags) {
    builder.Enum("compound_dtor_id", {{"COMPOUND_PAGE_DTOR", 1}, {"HUGETLB_PAGE_DTOR", 2}});
  }
  if (era.name == "6.11") {
    builder.Enum("pagetype", {{"PG_buddy", 0x40000000},
                              {"PG_offline", 0x20000000},
                              {"PG_hugetlb", 0x04000000},
                              {"PG_slab", 0x02000000}});
  } else if (era.slab_type != 0) {
    std::vector<BtfBuilder::Value> types = {
        {"PGTY_buddy", 0xf0}, {"PGTY_offline", 0xf1}, {"PGTY_hugetlb", 0xf4}, {"PGTY_slab", 0xf5}};
    if (era.unaccepted != 0) types.push_back({"PGTY_unaccepted", 0xf7});
    builder.Enum("pagetype", types);
  }
  return builder.Build();
}

// A kernel of an era, with BTF and symbols in its memory.
class KernelFactsTest : public testing::Test {
 protected:
  explicit KernelFactsTest(const std::string& era = "6.12") { SetEra(era); }
  void SetEra(const std::string& name) {
    era_ = &FindEra(name);
    memory_ = FakeMemory();
    memory_.AddRange(PhysAddr(0), kMemory);
    ByteBuffer btf = BtfOf(*era_);
    memory_.Write(PhysAddr(kBtf), btf);
    symbols_.symbols = {{'T', "_stext", kText},
                        {'R', "__start_BTF", kBtf},
                        {'R', "__stop_BTF", kBtf + btf.size()},
                        {'D', "node_data", 0x180000}};
    keys_ = fmt::format("SYMBOL(_stext)={:x}\n", kText);
    keys_ += symbols_.Put(memory_, VirtAddr(kTables), PhysAddr(kTables));
  }
  KernelFacts Learn(const std::string& page_keys) {
    kernel_ = std::make_unique<IdentityKernel>(memory_, keys_ + page_keys, MachineId{62});
    return KernelFacts::Learn(*kernel_, KernelNames::Learn(*kernel_));
  }
  Result<PageLayout> Layout(const KernelFacts& facts) {
    return PageLayout::FromFacts(facts, ByteOrder::kLittle, 8, 4096);
  }
  std::string PageKeys() const { return PageStructs(*era_, 0).Vmcoreinfo(); }

  const KernelEra* era_ = nullptr;
  FakeMemory memory_;
  KallsymsBuilder symbols_;
  std::string keys_;
  std::unique_ptr<IdentityKernel> kernel_;
};

class EachEra : public KernelFactsTest, public testing::WithParamInterface<std::string> {
 protected:
  EachEra() { SetEra(GetParam()); }
};

TEST_P(EachEra, BtfSaysWhatVmcoreinfoWouldSay) {
  KernelFacts facts = Learn("");
  EXPECT_EQ(facts.without_btf(), "");
  Vmcoreinfo stated = *Vmcoreinfo::Parse(PageKeys());
  KernelFacts reference = KernelFacts::FromVmcoreinfo(stated);
  std::string text = PageKeys();
  while (!text.empty()) {
    std::string line = text.substr(0, text.find('\n'));
    text.erase(0, line.size() + 1);
    std::string key = line.substr(0, line.find('='));
    // A macro, in that kernel only.
    if (GetParam() == "6.9" && key == "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)") continue;
    auto found = facts.settled().find(key);
    ASSERT_NE(found, facts.settled().end()) << key;
    EXPECT_EQ(key + "=" + FactText(key, found->second.value), line);
    EXPECT_NE(found->second.source, FactSource::kVmcoreinfo);
  }
  Result<PageLayout> layout = Layout(facts);
  ASSERT_TRUE(layout) << layout.error().message();
  EXPECT_TRUE(layout->disabled().empty());
}

TEST_P(EachEra, BothSourcesAgree) {
  KernelFacts facts = Learn(PageKeys());
  EXPECT_EQ(facts.Contradictions(), std::vector<std::string>());
  const KernelFact& flags = facts.settled().at("OFFSET(page.flags)");
  EXPECT_EQ(flags.source, FactSource::kVmcoreinfo);
  EXPECT_TRUE(flags.confirmed);
  EXPECT_TRUE(Layout(facts)->disabled().empty());
}

INSTANTIATE_TEST_SUITE_P(Eras, EachEra,
                         testing::Values("5.10", "6.3", "6.6", "6.9", "6.11", "6.12", "7.1"),
                         [](const auto& era) {
                           std::string name = era.param;
                           name[name.find('.')] = '_';
                           return "v" + name;
                         });

// A contradicted key, the value that VMCOREINFO gives it, and the rule that is off.
struct Contradiction {
  const char* era;
  const char* key;
  const char* value;
  const char* disabled;
};

TEST_F(KernelFactsTest, ContradictedKeysSwitchTheirRuleOff) {
  constexpr Contradiction kContradictions[] = {
      {"6.12", "NUMBER(PG_lru)", "4", "page cache: NUMBER(PG_lru) is contradicted by BTF"},
      {"6.12", "NUMBER(PG_swapbacked)", "4",
       "page cache: NUMBER(PG_swapbacked) is contradicted by BTF"},
      {"6.12", "NUMBER(PG_private)", "4",
       "page cache without private data: NUMBER(PG_private) is contradicted by BTF"},
      {"6.12", "NUMBER(PG_head_mask)", "128",
       "compound pages: NUMBER(PG_head_mask) is contradicted by BTF"},
      {"6.12", "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", "-129",
       "free pages: NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE) is contradicted by BTF"},
      {"6.12", "LENGTH(zone.free_area)", "12",
       "free pages: LENGTH(zone.free_area) is contradicted by BTF"},
      {"5.10", "OFFSET(page.compound_order)", "16",
       "compound pages: OFFSET(page.compound_order) is contradicted by BTF"},
      {"6.3", "OFFSET(folio._folio_order)", "16",
       "compound pages: OFFSET(folio._folio_order) is contradicted by BTF"},
      {"5.10", "NUMBER(HUGETLB_PAGE_DTOR)", "3",
       "hugetlb pages: NUMBER(HUGETLB_PAGE_DTOR) is contradicted by BTF"},
      {"6.6", "NUMBER(PG_hugetlb)", "9",
       "hugetlb pages: NUMBER(PG_hugetlb) is contradicted by BTF"},
      {"6.12", "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", "-257",
       "offline pages: NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE) is contradicted by BTF"},
      {"6.12", "NUMBER(PG_hwpoison)", "4",
       "failed memory: NUMBER(PG_hwpoison) is contradicted by BTF"},
      {"7.1", "NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)", "-1",
       "unaccepted memory: NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE) is contradicted by BTF"},
      {"6.12", "OFFSET(page.private)", "48",
       "free pages: OFFSET(page.private) is contradicted by BTF"},
  };
  for (const Contradiction& wrong : kContradictions) {
    SetEra(wrong.era);
    // The last of two equal keys counts.
    KernelFacts facts = Learn(PageKeys() + wrong.key + "=" + wrong.value + "\n");
    ASSERT_EQ(facts.Contradictions().size(), 1u) << wrong.key;
    EXPECT_TRUE(facts.Contradictions()[0].starts_with(
        fmt::format("{} is {} by VMCOREINFO, but ", wrong.key, wrong.value)))
        << facts.Contradictions()[0];
    Result<PageLayout> layout = Layout(facts);
    ASSERT_TRUE(layout);
    EXPECT_EQ(layout->disabled(), std::vector<std::string>{wrong.disabled});
  }
}

TEST_F(KernelFactsTest, UserMemoryAndCacheAreKeptWhenSlabIsContradicted) {
  KernelFacts facts = Learn(PageKeys() + "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-1\n");
  EXPECT_EQ(Layout(facts)->disabled(),
            (std::vector<std::string>{
                "user memory: NUMBER(PAGE_SLAB_MAPCOUNT_VALUE) is contradicted by BTF",
                "page cache: user memory cannot be told from it"}));
}

TEST_F(KernelFactsTest, NothingIsKnownWhenStructPageIsContradicted) {
  for (std::string key :
       {"SIZE(page)=56", "OFFSET(page.flags)=8", "OFFSET(page.compound_head)=0"}) {
    Result<PageLayout> layout = Layout(Learn(PageKeys() + key + "\n"));
    ASSERT_FALSE(layout) << key;
    EXPECT_EQ(layout.error().message(),
              fmt::format("struct page: {} is contradicted by BTF", key.substr(0, key.find('='))));
  }
}

TEST_F(KernelFactsTest, PageTypeIsTheSameWithAndWithoutASign) {
  KernelFacts facts = Learn(PageKeys() + "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=0xf0000000\n");
  EXPECT_TRUE(facts.Contradictions().empty());
}

TEST_F(KernelFactsTest, SymbolsComeFromKallsymsWhereVmcoreinfoHasNone) {
  KernelFacts facts = Learn("SYMBOL(mem_section)=1234\n");
  EXPECT_EQ(facts.Symbol("mem_section")->value, 0x1234u);
  EXPECT_EQ(facts.Symbol("node_data")->value, 0x180000u);
  EXPECT_EQ(facts.settled().at("SYMBOL(node_data)").source, FactSource::kKallsyms);
  EXPECT_EQ(facts.Symbol("contig_page_data").error().message(),
            "SYMBOL(contig_page_data) is missing");
}

TEST_F(KernelFactsTest, BtfIsFoundByItsMagicNumberWithoutSymbols) {
  keys_ = fmt::format("SYMBOL(_stext)={:x}\nSYMBOL(kallsyms_names)=0\n", kText);
  // Something that looks like it, before it.
  memory_.Put(PhysAddr(kText + 0x1002), uint32_t{0x0001eb9f});
  KernelFacts facts = Learn("");
  EXPECT_EQ(facts.without_btf(), "");
  EXPECT_EQ(facts.Size("page").value_or(0), 64u);
}

TEST_F(KernelFactsTest, WithoutBtf) {
  memory_.Put(PhysAddr(kBtf), uint16_t{0});
  KernelFacts facts = Learn(PageKeys());
  EXPECT_EQ(facts.without_btf(), "__start_BTF: BTF without its magic number");
  EXPECT_TRUE(Layout(facts)->disabled().empty());
  EXPECT_FALSE(facts.settled().at("SIZE(page)").confirmed);

  keys_ = fmt::format("SYMBOL(_stext)={:x}\nSYMBOL(kallsyms_names)=0\n", kText);
  EXPECT_EQ(Learn("").without_btf(),
            "no BTF is in the kernel image (kallsyms: VMCOREINFO has no "
            "SYMBOL(kallsyms_token_table))");
}

}  // namespace
}  // namespace kdumpkit
