// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/ranges.h"

#include <gtest/gtest.h>

#include <algorithm>

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

std::vector<PhysRange> Ranges(std::initializer_list<std::pair<uint64_t, uint64_t>> ends) {
  std::vector<PhysRange> ranges;
  for (auto [base, end] : ends) ranges.push_back({PhysAddr(base), end - base});
  return ranges;
}

TEST(SubtractRanges, CutsSplitsAndRemoves) {
  // Taken: over two ranges, in the middle of one, a whole one, touching ones, beyond all.
  std::vector<PhysRange> rest =
      SubtractRanges(Ranges({{10, 20}, {30, 40}, {50, 60}, {70, 80}, {90, 100}}),
                     Ranges({{15, 35}, {53, 55}, {70, 80}, {80, 90}, {100, 200}, {0, 10}}));
  EXPECT_EQ(rest, Ranges({{10, 15}, {35, 40}, {50, 53}, {55, 60}, {90, 100}}));
  EXPECT_EQ(SubtractRanges(Ranges({{10, 20}}), {}), Ranges({{10, 20}}));
  EXPECT_TRUE(SubtractRanges({}, Ranges({{10, 20}})).empty());
  EXPECT_TRUE(SubtractRanges(Ranges({{10, 20}, {20, 30}}), Ranges({{0, 100}})).empty());
}

TEST(SubtractRanges, EveryByteIsAsTheDefinitionSays) {
  // All pairs of two ranges in a space of eight bytes.
  for (unsigned bits = 0; bits < 0x10000; bits += 7) {
    std::vector<PhysRange> a = Ranges({{bits & 7, 4 + (bits >> 3 & 3)}, {4, 4 + (bits >> 5 & 3)}});
    if (a[0].size > 8) continue;
    std::vector<PhysRange> b =
        Ranges({{bits >> 7 & 3, 3 + (bits >> 9 & 3)}, {5, 5 + (bits >> 11 & 3)}});
    std::vector<PhysRange> rest = SubtractRanges(a, b);
    std::vector<PhysRange> both = IntersectRanges(a, b);
    for (uint64_t at = 0; at < 10; ++at) {
      auto in = [at](const std::vector<PhysRange>& ranges) {
        return std::any_of(ranges.begin(), ranges.end(),
                           [at](const PhysRange& range) { return range.Contains(PhysAddr(at)); });
      };
      EXPECT_EQ(in(rest), in(a) && !in(b)) << bits << " " << at;
      EXPECT_EQ(in(both), in(a) && in(b)) << bits << " " << at;
    }
  }
}

TEST(SubtractRanges, ManyRanges) {
  std::vector<PhysRange> ranges;
  std::vector<PhysRange> taken;
  for (uint64_t i = 0; i < 100000; ++i) {
    ranges.push_back({PhysAddr(i * 0x1000), 0x800});
    taken.push_back({PhysAddr(i * 0x1000 + 0x400), 0x100});
  }
  std::vector<PhysRange> rest = SubtractRanges(ranges, taken);
  EXPECT_EQ(rest.size(), 200000u);
  EXPECT_EQ(TotalSize(rest), 100000u * 0x700);
}

}  // namespace
}  // namespace kdumpkit
