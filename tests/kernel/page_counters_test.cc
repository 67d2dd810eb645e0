// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/page_counters.h"

#include <gtest/gtest.h>

#include "tests/support/btf_builder.h"
#include "tests/support/identity_kernel.h"
#include "tests/support/kallsyms_builder.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kText = 0x100000, kBtf = 0x200000, kTables = 0x300000, kMemory = 0x400000;
constexpr uint64_t kStats = 0x110000, kPools = 0x120000, kPoolCount = 0x130000;

class PageCountersTest : public testing::Test {
 protected:
  PageCountersTest() {
    memory_.AddRange(PhysAddr(0), kMemory);
    symbols_.symbols = {{'T', "_stext", kText}, {'D', "vm_node_stat", kStats}};
    for (uint64_t item = 0; item < 8; ++item) Put(kStats + item * 8, 100 + item);
  }
  void Put(uint64_t at, uint64_t value) { memory_.Put(PhysAddr(at), value); }
  void AddPools(uint32_t count) {
    symbols_.symbols.push_back({'D', "hstates", kPools});
    symbols_.symbols.push_back({'D', "hugetlb_max_hstate", kPoolCount});
    memory_.Put(PhysAddr(kPoolCount), count);
    for (uint64_t i = 0; i < 2; ++i) {
      memory_.Put(PhysAddr(kPools + i * 32), static_cast<uint32_t>(9 * (i + 1)));
      Put(kPools + i * 32 + 8, 3 + i);
    }
  }
  PageCounters Read(int64_t anonymous = 2) {
    BtfBuilder builder;
    uint32_t word = builder.Int("long unsigned int", 8);
    uint32_t number = builder.Int("unsigned int", 4);
    builder.Struct("page", 64, {{"flags", word, 0}});
    builder.Struct("hstate", 32, {{"order", number, 0}, {"nr_huge_pages", word, 64}});
    builder.Enum("node_stat_item", {{"NR_SLAB_RECLAIMABLE_B", 5},
                                    {"NR_SLAB_UNRECLAIMABLE_B", 6},
                                    {"NR_ANON_MAPPED", anonymous}});
    ByteBuffer types = builder.Build();
    memory_.Write(PhysAddr(kBtf), types);
    symbols_.symbols.push_back({'R', "__start_BTF", kBtf});
    symbols_.symbols.push_back({'R', "__stop_BTF", kBtf + types.size()});
    std::string keys = fmt::format("SYMBOL(_stext)={:x}\n", kText);
    keys += symbols_.Put(memory_, VirtAddr(kTables), PhysAddr(kTables));
    IdentityKernel kernel(memory_, keys, MachineId{62});
    return ReadPageCounters(kernel, KernelNames::Learn(kernel));
  }

  FakeMemory memory_;
  KallsymsBuilder symbols_;
};

TEST_F(PageCountersTest, AddsWhatBelongsTogether) {
  AddPools(2);
  PageCounters counters = Read();
  EXPECT_EQ(counters.slab, 105u + 106u);
  EXPECT_EQ(counters.anonymous, 102u);
  EXPECT_EQ(counters.file, std::nullopt);  // the enum has no such item
  EXPECT_EQ(counters.hugetlb, 3u * 512 + 4u * 262144);
}

TEST_F(PageCountersTest, ACounterBelowZeroIsNothing) {
  Put(kStats + 40, ~uint64_t{2});
  EXPECT_EQ(Read().slab, 106u);
}

TEST_F(PageCountersTest, WithoutPoolsThereAreNoHugePages) { EXPECT_EQ(Read().hugetlb, 0u); }

TEST_F(PageCountersTest, GarbageIsNotCounted) {
  AddPools(1000);
  PageCounters counters = Read(-5);
  EXPECT_EQ(counters.hugetlb, std::nullopt);
  EXPECT_EQ(counters.anonymous, std::nullopt);
}

}  // namespace
}  // namespace kdumpkit
