// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/placement.h"

#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;

// A kernel of 48 MiB at 2 MiB steps, as in the tests of the program.
MemoryNeed Need(uint64_t initrd) { return {48 * kMiB, 2 * kMiB, initrd, 4 * kKiB, 32 * kKiB}; }

Fit Place(uint64_t size, uint64_t initrd, uint64_t base = 0x40000000) {
  return PlaceInRange({PhysAddr(base), size}, Need(initrd));
}

TEST(Placement, RoomyRange) { EXPECT_EQ(Place(256 * kMiB, 30 * kMiB), Fit::kYes); }

TEST(Placement, SumDoesNotFit) {
  EXPECT_EQ(Place(48 * kMiB, 0), Fit::kNo);
  EXPECT_EQ(Place(64 * kMiB, 16 * kMiB), Fit::kNo);
}

// The small segments at the top push the kernel down by a whole step.
TEST(Placement, AlignmentOfTheKernelCostsAStep) {
  EXPECT_EQ(Place(50 * kMiB, 0), Fit::kNo);
  EXPECT_EQ(Place(52 * kMiB, 0), Fit::kYes);
}

TEST(Placement, UnalignedBaseCostsAStepToo) {
  EXPECT_EQ(Place(51 * kMiB, 0, 0x40100000), Fit::kYes);
  EXPECT_EQ(Place(50 * kMiB, 0, 0x40100000), Fit::kYes);
  EXPECT_EQ(Place(49 * kMiB, 0, 0x40100000), Fit::kNo);
}

// The initrd goes into the gap above the kernel, or below it, never into both.
TEST(Placement, InitrdFitsIntoOneOfTheGaps) {
  EXPECT_EQ(Place(52 * kMiB, kMiB), Fit::kYes);
  EXPECT_EQ(Place(52 * kMiB, 3 * kMiB), Fit::kNo);
  EXPECT_EQ(Place(54 * kMiB, 3 * kMiB), Fit::kYes);
}

TEST(Placement, DependsOnTheUnknown) {
  EXPECT_EQ(Place(52 * kMiB, 2 * kMiB - 64 * kKiB), Fit::kMaybe);
}

TEST(Placement, RangesSmallerThanTheSmallSegments) {
  EXPECT_EQ(Place(0, 0), Fit::kNo);
  EXPECT_EQ(Place(4 * kKiB, 0), Fit::kNo);
  EXPECT_EQ(Place(36 * kKiB, 0, 0), Fit::kNo);
}

TEST(Placement, SizeAlone) {
  EXPECT_EQ(PlaceInSize(48 * kMiB, Need(0)), Fit::kNo);
  EXPECT_EQ(PlaceInSize(49 * kMiB, Need(0)), Fit::kMaybe);
  EXPECT_EQ(PlaceInSize(64 * kMiB, Need(0)), Fit::kYes);
}

}  // namespace
}  // namespace kdumpkit
