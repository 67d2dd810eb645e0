// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/page_scan.h"

#include <gtest/gtest.h>

#include "tests/support/fake_memory.h"
#include "tests/support/identity_kernel.h"

namespace kdumpkit {
namespace {

// The layout of Linux 6.1 on x86_64, as far as the rules need it.
constexpr std::string_view kVmcoreinfo =
    "OSRELEASE=6.1.0-test\nPAGESIZE=4096\n"
    "SIZE(page)=64\nOFFSET(page.flags)=0\nOFFSET(page._refcount)=52\nOFFSET(page.mapping)=24\n"
    "OFFSET(page.lru)=8\nOFFSET(page._mapcount)=48\nOFFSET(page.private)=40\n"
    "OFFSET(page.compound_dtor)=16\nOFFSET(page.compound_order)=17\n"
    "OFFSET(page.compound_head)=8\nLENGTH(zone.free_area)=11\n"
    "NUMBER(PG_lru)=4\nNUMBER(PG_private)=13\nNUMBER(PG_swapcache)=10\n"
    "NUMBER(PG_swapbacked)=19\nNUMBER(PG_slab)=9\nNUMBER(PG_hwpoison)=22\n"
    "NUMBER(PG_head_mask)=65536\nNUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\n"
    "NUMBER(HUGETLB_PAGE_DTOR)=2\nNUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\n";
constexpr uint64_t kMap = 0x100000;  // where the struct pages are
constexpr uint64_t kStruct = 64;
constexpr uint32_t kBuddyMapcount = static_cast<uint32_t>(-129);
constexpr uint64_t kHeadFlag = 65536;

class PageScanTest : public ::testing::Test {
 protected:
  PageScanTest() {
    memory_.AddRange(PhysAddr(kMap), 1024 * kStruct);
    // A page that is nobody's: its mapcount is -1.
    for (uint64_t pfn = 0; pfn < 1024; ++pfn)
      memory_.Put<uint32_t>(At(pfn, 48), static_cast<uint32_t>(-1));
  }

  static PhysAddr At(uint64_t pfn, uint64_t offset) {
    return PhysAddr(kMap + pfn * kStruct + offset);
  }
  void PutFree(uint64_t pfn, uint64_t order) {
    memory_.Put<uint32_t>(At(pfn, 48), kBuddyMapcount);
    memory_.Put<uint64_t>(At(pfn, 40), order);
  }
  void PutAnonymous(uint64_t pfn) { memory_.Put<uint64_t>(At(pfn, 24), 0xffff888000000001); }
  void PutCompound(uint64_t pfn, uint8_t order) {
    memory_.Put<uint64_t>(At(pfn, 0), kHeadFlag);
    for (uint64_t tail = pfn + 1; tail < pfn + (uint64_t{1} << order); ++tail)
      memory_.Put<uint64_t>(At(tail, 8), At(pfn, 0).value | 1);
    memory_.Put<uint8_t>(At(pfn + 1, 17), order);
  }

  // Scans frames [0, 1024), in two sections of 512, all of which exist unless `runs` says less.
  PageBitmap Scan(int level, std::vector<PfnRun> runs = {{0, 1024}}, uint64_t boundary = 4096) {
    IdentityKernel kernel(source_ != nullptr ? *source_ : memory_, kVmcoreinfo,
                          {62 /* x86_64 */, ByteOrder::kLittle, 8}, boundary);
    PageLayout layout =
        PageLayout::FromVmcoreinfo(kernel.info(), ByteOrder::kLittle, 8, 4096).value();
    DumpLevel dump_level = *DumpLevel::Make(level);
    PageBitmap kept(1024, runs);
    result_ = {};
    PageScan scan(kernel, layout, dump_level, runs, kept, result_);
    scan.Section({Pfn(0), 512, VirtAddr(kMap)});
    scan.Section({Pfn(512), 512, VirtAddr(kMap + 512 * kStruct)});
    return kept;
  }
  ClassCount Counted(PageClass page_class) {
    return result_.classes[static_cast<size_t>(page_class)];
  }

  FakeMemory memory_;
  const MemorySource* source_ = nullptr;
  ScanResult result_;
};

TEST_F(PageScanTest, FreeBlocksAreDroppedWhole) {
  PutFree(64, 4);
  PutFree(7, 0);
  PageBitmap kept = Scan(16);
  EXPECT_EQ(kept.CountAll(), 1024u - 17);
  EXPECT_EQ(kept.Count({64, 80}), 0u);
  EXPECT_FALSE(kept.Test(7));
  EXPECT_EQ(result_.free_pages, 17u);
  EXPECT_EQ(Counted(PageClass::kFree).dropped, 17u);
  EXPECT_EQ(Counted(PageClass::kKernel).kept, 1024u - 17);
}

TEST_F(PageScanTest, FreeBlocksStayAtOtherLevelsButAreCounted) {
  PutFree(64, 4);
  EXPECT_EQ(Scan(15).CountAll(), 1024u);
  EXPECT_EQ(Counted(PageClass::kFree).kept, 16u);
  EXPECT_EQ(result_.free_pages, 16u);
}

TEST_F(PageScanTest, StalePagesInsideAFreeBlockAreNotJudged) {
  PutFree(64, 4);
  PutFree(70, 10);  // left over from an earlier life
  EXPECT_EQ(Scan(16).CountAll(), 1024u - 16);
  EXPECT_EQ(result_.free_pages, 16u);
}

TEST_F(PageScanTest, CompoundUserPagesGoWithTheirTails) {
  PutCompound(128, 5);
  PutAnonymous(128);
  EXPECT_EQ(Scan(8).Count({128, 160}), 0u);
  EXPECT_EQ(Counted(PageClass::kUser).dropped, 32u);
  EXPECT_EQ(Scan(16).Count({128, 160}), 32u);
  EXPECT_EQ(Counted(PageClass::kUser).kept, 32u);
}

TEST_F(PageScanTest, BlocksReachIntoTheNextSection) {
  PutCompound(0, 10);
  PutAnonymous(0);
  PageBitmap kept = Scan(8);
  EXPECT_EQ(kept.CountAll(), 512u);
  ASSERT_EQ(result_.overhangs.size(), 1u);
  EXPECT_EQ(result_.overhangs[0].run, (PfnRun{512, 1024}));
}

TEST_F(PageScanTest, OnlyExistingPagesAreLookedAt) {
  PutFree(64, 4);
  PageBitmap kept = Scan(16, {{3, 70}, {600, 601}});
  EXPECT_EQ(kept.CountAll(), 62u);
  EXPECT_EQ(result_.visited, 68u);
  EXPECT_EQ(Counted(PageClass::kFree).dropped, 6u);
}

TEST_F(PageScanTest, StructPagesAcrossMappingBordersAreWhole) {
  PutCompound(128, 5);
  PutAnonymous(128);
  PutFree(65, 0);
  // With mappings of 96 bytes every second struct page lies across a border.
  PageBitmap kept = Scan(31, {{0, 1024}}, 96);
  EXPECT_EQ(kept.CountAll(), 1024u - 33);
  // A run that begins at an odd frame still sees the order in the second struct page.
  EXPECT_EQ(Scan(31, {{127, 1024}}, 96).CountAll(), 1024u - 127 - 32);
}

TEST_F(PageScanTest, UnreadableStructPagesKeepTheirPages) {
  PutFree(0, 6);
  PutFree(512, 6);
  FaultyMemory faulty(memory_);
  faulty.Fail(PhysAddr(kMap), 100);
  source_ = &faulty;
  PageBitmap kept = Scan(16);
  EXPECT_EQ(kept.CountAll(), 1024u - 64);
  EXPECT_EQ(result_.unreadable, 64u);  // one page of struct pages is given up
  EXPECT_FALSE(result_.first_error.empty());
}

TEST_F(PageScanTest, ImpossibleBuddyOrderIsKeptAndCounted) {
  PutFree(64, 11);
  EXPECT_EQ(Scan(16).CountAll(), 1024u);
  EXPECT_EQ(result_.bad_orders, 1u);
}

}  // namespace
}  // namespace kdumpkit
