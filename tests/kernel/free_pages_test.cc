// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/free_pages.h"

#include <gtest/gtest.h>

#include "tests/support/fake_kernel.h"

namespace kdumpkit {
namespace {

Result<uint64_t> Count(const FakeKernel& fake) {
  auto kernel = CrashedKernel::Open(fake.memory(), {FakeKernel::kElfMachine}, fake.vmcoreinfo());
  CHECK(kernel.has_value());
  return ReadFreePageCount(**kernel, KernelFacts::FromVmcoreinfo((*kernel)->info()));
}

TEST(FreePages, ZonesAddUpWithAndWithoutNuma) {
  for (bool numa : {true, false}) {
    FakeKernel fake({.numa = numa});
    fake.SetFreePages(0, 1000);
    fake.SetFreePages(2, 234);
    EXPECT_EQ(*Count(fake), 1234u);
  }
}

TEST(FreePages, EveryNodeCounts) {
  FakeKernel fake;
  fake.SetFreePages(1, 100);
  // The same node again, as number 63.
  fake.memory().Put(fake.Physical(fake.InImage(FakeKernel::kNodeData + 63 * 8)),
                    fake.InImage(FakeKernel::kNode).value);
  EXPECT_EQ(*Count(fake), 200u);
}

TEST(FreePages, EmptyZonesGiveNothing) {
  FakeKernel fake;
  EXPECT_EQ(*Count(fake), 0u);
}

TEST(FreePages, CounterBelowZeroCountsAsZero) {
  FakeKernel fake;
  fake.SetFreePages(0, -5);
  fake.SetFreePages(1, 7);
  EXPECT_EQ(*Count(fake), 7u);
}

TEST(FreePages, MissingKeysAreNamed) {
  for (const char* key : {"OFFSET(pglist_data.node_zones)", "OFFSET(pglist_data.nr_zones)",
                          "SIZE(zone)", "OFFSET(zone.vm_stat)", "NUMBER(NR_FREE_PAGES)",
                          "SYMBOL(node_data)", "LENGTH(node_data)"}) {
    FakeKernel fake;
    fake.RemoveKey(key);
    EXPECT_EQ(Count(fake).error().message(), std::string(key) + " is missing");
    EXPECT_EQ(Count(fake).error().kind(), ErrorKind::kUnsupported);
  }
}

TEST(FreePages, ImpossibleKeysAreRefused) {
  struct Case {
    const char* key;
    const char* value;
  };
  for (const Case& bad :
       {Case{"NUMBER(NR_FREE_PAGES)", "-1"}, Case{"NUMBER(NR_FREE_PAGES)", "24"},
        Case{"SIZE(zone)", "0"}, Case{"OFFSET(zone.vm_stat)", "18446744073709551615"},
        Case{"LENGTH(node_data)", "65537"}, Case{"SYMBOL(node_data)", "0"}}) {
    FakeKernel fake;
    fake.SetKey(bad.key, bad.value);
    EXPECT_EQ(Count(fake).error().kind(), ErrorKind::kMalformed) << bad.key << "=" << bad.value;
  }
}

TEST(FreePages, ImpossibleNumberOfZonesIsRefused) {
  FakeKernel fake;
  fake.SetKey("OFFSET(pglist_data.nr_zones)", "0");
  fake.memory().Put<uint32_t>(fake.Physical(fake.InImage(FakeKernel::kNode)), 17);
  EXPECT_EQ(Count(fake).error().message(), "node at 0xffffffff84150000 with 17 zones");
}

}  // namespace
}  // namespace kdumpkit
