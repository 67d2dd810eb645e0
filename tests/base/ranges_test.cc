// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/ranges.h"

#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

TEST(PhysRange, RefusesWrap) {
  EXPECT_TRUE(PhysRange::Make(PhysAddr(UINT64_MAX - 5), 5));
  EXPECT_FALSE(PhysRange::Make(PhysAddr(UINT64_MAX - 5), 6));
}

TEST(MergeRanges, SortsMergesAndDropsEmpty) {
  std::vector<PhysRange> merged = MergeRanges({{PhysAddr(0x3000), 0x1000},
                                               {PhysAddr(0x1000), 0x1000},
                                               {PhysAddr(0x9000), 0},
                                               {PhysAddr(0x2000), 0x800},
                                               {PhysAddr(0x3100), 0x100}});
  EXPECT_EQ(merged,
            (std::vector<PhysRange>{{PhysAddr(0x1000), 0x1800}, {PhysAddr(0x3000), 0x1000}}));
}

}  // namespace
}  // namespace kdumpkit
