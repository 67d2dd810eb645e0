// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/crash_ranges.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/kexec/segment_machine.h"

namespace kdumpkit {
namespace {

std::vector<PhysRange> RangesOf(std::string_view iomem, std::vector<PhysRange> cma = {}) {
  FakeMachine machine;
  machine.Set("proc/iomem", iomem);
  CrashReservation reservation = ReadCrashReservation(machine.Root());
  reservation.cma = std::move(cma);
  return CrashRanges(ParseIomem(iomem), reservation);
}

TEST(CrashRanges, RamWithoutTheReservation) {
  EXPECT_EQ(RangesOf(kIomem2GiB),
            (std::vector{Inclusive(0x1000, 0x9fbff), Inclusive(0x100000, 0x6dffffff),
                         Inclusive(0x7e000000, 0x7ffdffff)}));
}

// What is plugged in later touches the memory below it.
TEST(CrashRanges, HighAndLowReservationAndHotPluggedMemory) {
  EXPECT_EQ(RangesOf(kIomem6GiB),
            (std::vector{Inclusive(0x1000, 0x9fbff), Inclusive(0x100000, 0x6dffffff),
                         Inclusive(0x7e000000, 0x7ffdffff), Inclusive(0x100000000, 0x1eeffffff),
                         Inclusive(0x1ff000000, 0x21fffffff)}));
}

TEST(CrashRanges, MemoryOfDriversCountsAndAnApertureDoesNot) {
  EXPECT_EQ(RangesOf(kIomemEfi),
            (std::vector{Inclusive(0x1000, 0x57fff), Inclusive(0x59000, 0x9ffff),
                         Inclusive(0x100000, 0x7fffff), Inclusive(0x808000, 0x5fffffff),
                         Inclusive(0x70000000, 0x73ffffff), Inclusive(0x78000000, 0x7eea0fff),
                         Inclusive(0x148000000, 0x23fffffff), Inclusive(0x280000000, 0x28fffffff),
                         Inclusive(0x2a0000000, 0x2afffffff)}));
}

TEST(CrashRanges, WhatTheCrashKernelRunsInIsLeftOut) {
  EXPECT_EQ(
      RangesOf(kIomem2GiB, {Inclusive(0x10000000, 0x1fffffff), Inclusive(0x7f000000, 0x7ffdffff)}),
      (std::vector{Inclusive(0x1000, 0x9fbff), Inclusive(0x100000, 0xfffffff),
                   Inclusive(0x20000000, 0x6dffffff), Inclusive(0x7e000000, 0x7effffff)}));
}

TEST(CrashRanges, OtherNamesAreNotRam) {
  EXPECT_TRUE(
      RangesOf("1000-1fff : System RAM?\n2000-2fff : Old System RAM\n3000-3fff : RAM buffer\n")
          .empty());
}

TEST(CrashRanges, ManyRangesTakeNoTime) {
  std::string iomem;
  for (uint64_t i = 0; i < 60000; ++i) {
    uint64_t base = i << 28;
    iomem += fmt::format("{:x}-{:x} : System RAM\n", base, base + 0x7ffffff);
    if (i % 2 == 0)
      iomem += fmt::format("  {:x}-{:x} : GART\n", base + 0x1000000, base + 0x1ffffff);
  }
  auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(RangesOf(iomem).size(), 90000u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

}  // namespace
}  // namespace kdumpkit
