// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/vmemmap.h"

#include <gtest/gtest.h>

#include "tests/support/fake_kernel.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kPerPage = 64;  // struct pages in a page
constexpr uint64_t kStructSize = 64;

// 256 MiB of memory: two sections, whose map is two pages of 2 MiB or is mapped as a test says.
class VmemmapTest : public ::testing::TestWithParam<bool> {
 protected:
  VmemmapTest() : fake_({.five_levels = GetParam()}) {}

  uint64_t Drop() {
    MachineId machine{FakeKernel::kElfMachine, ByteOrder::kLittle, 8};
    auto kernel =
        std::move(CrashedKernel::Open(fake_.memory(), machine, fake_.vmcoreinfo())).value();
    MemoryMap map;
    for (uint64_t at : {uint64_t{0}, FakeKernel::kSectionPages})
      map.sections.push_back(
          {Pfn(at), FakeKernel::kSectionPages, fake_.vmemmap() + at * kStructSize, true});
    return DropVmemmap(*kernel, map, kStructSize, existing_, kept_);
  }
  uint64_t MapPage(uint64_t pfn) { return fake_.struct_page(pfn).value >> 12; }

  FakeKernel fake_;
  std::vector<PfnRun> existing_ = {{0, 0x10000}};
  PageBitmap kept_{0x10000, existing_};
};
INSTANTIATE_TEST_SUITE_P(Levels, VmemmapTest, testing::Bool());

TEST_P(VmemmapTest, NothingWhereAllIsKept) { EXPECT_EQ(Drop(), 0u); }

TEST_P(VmemmapTest, OnlyPagesThatSpeakOfLeftOutFramesAlone) {
  // 64 frames that fill one page of the map, and all but one of another.
  kept_.Clear({2 * kPerPage, 3 * kPerPage});
  kept_.Clear({5 * kPerPage + 1, 6 * kPerPage});
  PageBitmap before = kept_;
  EXPECT_EQ(Drop(), 1u);
  EXPECT_FALSE(kept_.Test(MapPage(2 * kPerPage)));
  before.Clear({MapPage(2 * kPerPage), MapPage(2 * kPerPage) + 1});
  EXPECT_EQ(kept_.Bytes(0, 0x2000), before.Bytes(0, 0x2000));
}

TEST_P(VmemmapTest, AFrameThatDoesNotExistIsNotLeftOut) {
  kept_.Clear({2 * kPerPage, 3 * kPerPage});
  existing_ = {{0, 2 * kPerPage + 5}, {2 * kPerPage + 6, 0x10000}};
  EXPECT_EQ(Drop(), 0u);
}

TEST_P(VmemmapTest, WhatIsNotMappedIsPassedOver) {
  fake_.memory().Put(fake_.TableEntry(fake_.vmemmap(), 21), uint64_t{0});
  kept_.Clear({0, 2 * kPerPage});
  kept_.Clear({FakeKernel::kSectionPages, FakeKernel::kSectionPages + kPerPage});
  EXPECT_EQ(Drop(), 1u);
}

// As the kernel maps the tails of a hugetlb page: several pages of the map are one in memory.
TEST_P(VmemmapTest, APageThatIsMappedTwiceMustBeIdleTwice) {
  VirtAddr second = fake_.vmemmap() + (uint64_t{1} << 21);
  fake_.memory().Put(fake_.TableEntry(second, 21), uint64_t{0});
  for (uint64_t page = 0; page < 512; ++page)
    fake_.memory().Put(fake_.TableEntry(second + page * 4096, 12),
                       fake_.struct_page(0).value + 4096 * (page == 1 ? 0 : page) + 1);
  // Pages 0 and 1 of the second half are page 0 of the first, all of it left out.
  kept_.Clear({0, kPerPage});
  kept_.Clear({FakeKernel::kSectionPages, FakeKernel::kSectionPages + kPerPage});
  EXPECT_EQ(Drop(), 0u);
  kept_.Clear({FakeKernel::kSectionPages + kPerPage, FakeKernel::kSectionPages + 2 * kPerPage});
  EXPECT_EQ(Drop(), 1u);
}

}  // namespace
}  // namespace kdumpkit
