// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/page_bitmap.h"

#include <gtest/gtest.h>

#include "filter/page_batches.h"

namespace kdumpkit {
namespace {

TEST(ExistingRuns, FractionalPagesCountAndSharedPagesMerge) {
  std::vector<PhysRange> ranges = {{PhysAddr(0x1000), 0x9ec00},    // ends inside page 0x9f
                                   {PhysAddr(0x9fd00), 0x300},     // begins inside it
                                   {PhysAddr(0x100800), 0x1000}};  // touches two pages
  EXPECT_EQ(ExistingRuns(ranges, 12), (std::vector<PfnRun>{{1, 0xa0}, {0x100, 0x102}}));
}

TEST(PageBitmap, SetClearCountAcrossWords) {
  std::vector<PfnRun> runs = {{3, 200}, {256, 257}};
  PageBitmap bitmap(300, runs);
  EXPECT_EQ(bitmap.CountAll(), 198u);
  EXPECT_EQ(bitmap.Clear({60, 130}), 70u);
  EXPECT_EQ(bitmap.Clear({60, 130}), 0u);
  EXPECT_EQ(bitmap.Count({50, 140}), 20u);
  EXPECT_TRUE(bitmap.Test(59));
  EXPECT_FALSE(bitmap.Test(60));
  EXPECT_FALSE(bitmap.Test(129));
  EXPECT_TRUE(bitmap.Test(130));
}

TEST(PageBitmap, RunsBeyondTheEndAreCut) {
  std::vector<PfnRun> runs = {{0, 1000}};
  PageBitmap bitmap(70, runs);
  EXPECT_EQ(bitmap.CountAll(), 70u);
  EXPECT_EQ(bitmap.Clear({64, UINT64_MAX}), 6u);
}

TEST(PageBitmap, NextFindsEachSetBit) {
  std::vector<PfnRun> runs = {{5, 6}, {63, 65}, {200, 201}};
  PageBitmap bitmap(201, runs);
  EXPECT_EQ(bitmap.Next(0), 5u);
  EXPECT_EQ(bitmap.Next(6), 63u);
  EXPECT_EQ(bitmap.Next(64), 64u);
  EXPECT_EQ(bitmap.Next(65), 200u);
  EXPECT_EQ(bitmap.Next(201), std::nullopt);
}

TEST(PageBitmap, BytesAreLeastSignificantBitFirst) {
  std::vector<PfnRun> runs = {{0, 1}, {9, 11}, {71, 72}};
  PageBitmap bitmap(72, runs);
  ByteBuffer expected(12);
  expected[0] = std::byte{1};
  expected[1] = std::byte{6};
  expected[8] = std::byte{0x80};
  EXPECT_EQ(bitmap.Bytes(0, 12), expected);  // padded with zeros behind the last page
  EXPECT_EQ(bitmap.Bytes(1, 1)[0], std::byte{6});
}

TEST(PageBatches, CoverEveryPageOnceInOrder) {
  std::vector<PfnRun> runs = {{10, 10 + PageBatches::kPages + 7}, {1000, 1003}};
  PageBitmap bitmap(1003, runs);
  PageBatches batches(bitmap);
  PageBatch batch;
  ASSERT_TRUE(batches.Next(batch));
  EXPECT_EQ(batch.number, 0u);
  EXPECT_EQ(batch.pfns.size(), PageBatches::kPages);
  EXPECT_EQ(batch.pfns.front(), 10u);
  ASSERT_TRUE(batches.Next(batch));
  EXPECT_EQ(batch.number, 1u);
  EXPECT_EQ(batch.first_index, PageBatches::kPages);
  EXPECT_EQ(batch.pfns.size(), 10u);
  EXPECT_EQ(batch.pfns.back(), 1002u);
  EXPECT_FALSE(batches.Next(batch));
}

}  // namespace
}  // namespace kdumpkit
