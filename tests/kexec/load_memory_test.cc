// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/load_memory.h"

#include <gtest/gtest.h>

#include "tests/kexec/segment_machine.h"

namespace kdumpkit {
namespace {

constexpr PhysRange kEverywhere = {PhysAddr(0), UINT64_MAX};

TEST(NormalLayout, RamAboveOneMegabyteWithoutWhatIsReserved) {
  Iomem iomem = ParseIomem(kIomemEfi);
  std::vector<E820Entry> map = {{Inclusive(0, 0x7fffffff), E820Type::kRam},
                                {Inclusive(0x140000000, 0x37fffffff), E820Type::kRam}};
  // Not the crash kernel's memory, the aperture of a GART, or what drivers have added.
  EXPECT_EQ(NormalLayout(iomem, map, kEverywhere).free(),
            (std::vector{Inclusive(0x100000, 0x7fffff), Inclusive(0x808000, 0x5fffffff),
                         Inclusive(0x70000000, 0x73ffffff), Inclusive(0x78000000, 0x7eea0fff)}));
}

TEST(NormalLayout, OnlyWhatIsRamToTheNewKernelAsWell) {
  Iomem iomem = ParseIomem(kIomem6GiB);
  std::vector<E820Entry> map = {{Inclusive(0x100000, 0x3fffffff), E820Type::kRam},
                                {Inclusive(0x100000000, 0x17fffffff), E820Type::kReserved}};
  EXPECT_EQ(NormalLayout(iomem, map, kEverywhere).free(),
            (std::vector{Inclusive(0x100000, 0x3fffffff)}));
  EXPECT_EQ(NormalLayout(iomem, map, Inclusive(0x200000, 0x2fffff)).free(),
            (std::vector{Inclusive(0x200000, 0x2fffff)}));
}

TEST(CrashLayout, TheHighestRangeOfTheReservation) {
  CrashReservation reservation;
  EXPECT_FALSE(CrashLayout(reservation, kEverywhere));
  reservation.ranges = {Inclusive(0x6e000000, 0x7dffffff), Inclusive(0x1ef000000, 0x1feffffff)};
  EXPECT_EQ(CrashLayout(reservation, kEverywhere)->free(),
            (std::vector{Inclusive(0x1ef000000, 0x1feffffff)}));
  EXPECT_TRUE(CrashLayout(reservation, Inclusive(0, 0x7fffffff))->free().empty());
}

TEST(ControlMemory, GrowsWithMemory) {
  EXPECT_EQ(ControlMemory(ParseIomem("0-ffffffff : System RAM\n")), 36u * 4096);
  EXPECT_EQ(ControlMemory(ParseIomem("0-ffffffffff : System RAM\n")), 1056u * 4096);
}

}  // namespace
}  // namespace kdumpkit
