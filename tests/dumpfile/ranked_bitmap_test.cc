// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/ranked_bitmap.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/dumpfile/kdump_image.h"

namespace kdumpkit {
namespace {

RankedBitmap Read(ByteView bytes, uint64_t bits) {
  auto file = FileSource::Open(MemoryFile(bytes)).value();
  auto bitmap = RankedBitmap::Read(*file, FileOffset(0), bits);
  CHECK(bitmap.has_value());
  return std::move(*bitmap);
}

PhysRange Range(uint64_t base, uint64_t size) { return {PhysAddr(base), size}; }

TEST(RankedBitmap, LowestBitOfAByteComesFirst) {
  RankedBitmap bitmap = Read(ByteBuffer{std::byte{0x01}, std::byte{0x80}}, 16);
  EXPECT_TRUE(bitmap.Test(Pfn(0)));
  EXPECT_FALSE(bitmap.Test(Pfn(1)));
  EXPECT_FALSE(bitmap.Test(Pfn(8)));
  EXPECT_TRUE(bitmap.Test(Pfn(15)));
  EXPECT_EQ(bitmap.count(), 2u);
}

TEST(RankedBitmap, RankAgreesWithCounting) {
  std::mt19937 random(3);
  for (uint64_t bits : {1u, 63u, 64u, 65u, 4095u, 4096u, 4097u, 20000u}) {
    ByteBuffer bytes((bits + 7) / 8);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    RankedBitmap bitmap = Read(bytes, bits);
    uint64_t rank = 0;
    for (uint64_t pfn = 0; pfn < bits; ++pfn) {
      ASSERT_EQ(bitmap.Rank(Pfn(pfn)), rank) << pfn << " of " << bits;
      if (bitmap.Test(Pfn(pfn))) ++rank;
    }
    EXPECT_EQ(bitmap.Rank(Pfn(bits)), rank);
    EXPECT_EQ(bitmap.Rank(Pfn(~uint64_t{0})), rank);
    EXPECT_EQ(bitmap.count(), rank);
  }
}

TEST(RankedBitmap, BitsBeyondTheEndDoNotCount) {
  RankedBitmap bitmap = Read(ByteBuffer(2, std::byte{0xff}), 11);
  EXPECT_EQ(bitmap.count(), 11u);
  EXPECT_FALSE(bitmap.Test(Pfn(11)));
  EXPECT_FALSE(bitmap.Test(Pfn(~uint64_t{0})));
}

TEST(RankedBitmap, RangesAreTheRunsOfSetBits) {
  ByteBuffer bytes(32);
  bytes[0] = std::byte{0x06};
  for (size_t i = 7; i < 17; ++i) bytes[i] = std::byte{0xff};  // across words
  RankedBitmap bitmap = Read(bytes, 256);
  EXPECT_EQ(bitmap.Ranges(0x1000),
            (std::vector{Range(0x1000, 0x2000), Range(56 * 0x1000, 80 * 0x1000)}));
}

TEST(RankedBitmap, RangeReachesTheEnd) {
  for (uint64_t bits : {70u, 128u}) {
    RankedBitmap bitmap = Read(ByteBuffer(16, std::byte{0xff}), bits);
    EXPECT_EQ(bitmap.Ranges(0x1000), std::vector{Range(0, bits * 0x1000)});
  }
}

TEST(RankedBitmap, EmptyBitmapHasNoRange) {
  RankedBitmap bitmap = Read(ByteBuffer(16), 128);
  EXPECT_TRUE(bitmap.Ranges(0x1000).empty());
  EXPECT_EQ(bitmap.count(), 0u);
}

TEST(RankedBitmap, TruncatedFileFails) {
  auto file = FileSource::Open(MemoryFile(ByteBuffer(15))).value();
  auto bitmap = RankedBitmap::Read(*file, FileOffset(0), 128);
  ASSERT_FALSE(bitmap);
  EXPECT_EQ(bitmap.error().kind(), ErrorKind::kTruncated);
}

}  // namespace
}  // namespace kdumpkit
