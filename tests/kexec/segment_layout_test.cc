// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/segment_layout.h"

#include <gtest/gtest.h>

#include "tests/kexec/segment_machine.h"

namespace kdumpkit {
namespace {

SegmentLayout Layout(std::vector<PhysRange> free) {
  return SegmentLayout(std::move(free), "the crash reservation", "reserve more");
}

TEST(SegmentLayout, HighestAndLowestOfSeveralRanges) {
  SegmentLayout layout = Layout({Inclusive(0x100000, 0x1fffff), Inclusive(0x400000, 0x40ffff)});
  EXPECT_EQ(*layout.TakeHighest({.name = "a", .size = 0x2345}), Inclusive(0x40d000, 0x40ffff));
  EXPECT_EQ(*layout.TakeHighest({.name = "b", .size = 0x20000}), Inclusive(0x1e0000, 0x1fffff));
  EXPECT_EQ(*layout.TakeLowest({.name = "c", .size = 1}), Inclusive(0x100000, 0x100fff));
  EXPECT_EQ(layout.free(),
            (std::vector{Inclusive(0x101000, 0x1dffff), Inclusive(0x400000, 0x40cfff)}));
}

TEST(SegmentLayout, Alignment) {
  SegmentLayout layout = Layout({Inclusive(0x1000, 0x7fffff)});
  EXPECT_EQ(*layout.TakeHighest({.name = "a", .size = 0x300000, .alignment = 0x200000}),
            Inclusive(0x400000, 0x6fffff));
  // What it left over above is used.
  EXPECT_EQ(*layout.TakeHighest({.name = "b", .size = 0x100000}), Inclusive(0x700000, 0x7fffff));
  EXPECT_EQ(*layout.TakeLowest({.name = "c", .size = 0x1000, .alignment = 0x200000}),
            Inclusive(0x200000, 0x200fff));
}

TEST(SegmentLayout, Bounds) {
  SegmentLayout layout = Layout({Inclusive(0, 0xffffff)});
  EXPECT_EQ(*layout.TakeLowest({.name = "a", .size = 0x1000, .min_address = 0x5000}),
            Inclusive(0x5000, 0x5fff));
  EXPECT_EQ(*layout.TakeHighest({.name = "b", .size = 0x1000, .end_address = 0x9000}),
            Inclusive(0x8000, 0x8fff));
  EXPECT_TRUE(layout.TakeHighest(
      {.name = "c", .size = 0x2000, .min_address = 0xa000, .end_address = 0xc000}));
  EXPECT_FALSE(layout.TakeHighest(
      {.name = "d", .size = 0x2000, .min_address = 0xa000, .end_address = 0xc000}));
}

TEST(SegmentLayout, OnlyWholePages) {
  SegmentLayout layout = Layout({Inclusive(0x1001, 0x3ffe), Inclusive(0x5800, 0x67ff)});
  EXPECT_EQ(layout.free(), (std::vector{Inclusive(0x2000, 0x2fff)}));
  EXPECT_TRUE(layout.TakeHighest({.name = "a", .size = 4096}));
  EXPECT_FALSE(layout.TakeHighest({.name = "b", .size = 1}));
}

TEST(SegmentLayout, ErrorSaysWhatIsNeededAndWhatThereIs) {
  SegmentLayout layout = Layout({Inclusive(0x100000, 0x4fffff), Inclusive(0x600000, 0x6fffff)});
  EXPECT_EQ(layout.TakeHighest({.name = "the initrd", .size = 0x4000f0}).error().message(),
            "no room for the initrd in the crash reservation: 4.0 MiB are needed in one piece; "
            "5 MiB are left, the largest piece has 4 MiB: reserve more");
  EXPECT_EQ(layout
                .TakeHighest({.name = "the kernel",
                              .size = 0x400000,
                              .alignment = 0x200000,
                              .min_address = 0x1000000,
                              .end_address = 0x2000000})
                .error()
                .message(),
            "no room for the kernel in the crash reservation: 4 MiB are needed in one piece, at a "
            "multiple of 2 MiB, not below 0x1000000, below 0x2000000; 5 MiB are left, the largest "
            "piece has 4 MiB: reserve more");
  EXPECT_EQ(layout.free().size(), 2u);
}

TEST(SegmentLayout, EndOfTheAddressSpace) {
  SegmentLayout layout = Layout({{PhysAddr(UINT64_MAX - 0x2800), 0x2800}});
  EXPECT_FALSE(layout.TakeLowest({.name = "a", .size = UINT64_MAX / 2}));
  EXPECT_FALSE(layout.TakeLowest({.name = "b", .size = 0x1000, .alignment = uint64_t{1} << 62}));
  EXPECT_TRUE(layout.TakeHighest({.name = "c", .size = 0x1000}));
  EXPECT_FALSE(Layout({}).TakeHighest({.name = "d", .size = 0}));
}

}  // namespace
}  // namespace kdumpkit
