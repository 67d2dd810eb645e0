// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/reservation.h"

#include <gtest/gtest.h>

#include "tests/kexec/fake_machine.h"

namespace kdumpkit {
namespace {

PhysRange Range(uint64_t first, uint64_t last) { return {PhysAddr(first), last - first + 1}; }

TEST(Reservation, OneRange) {
  FakeMachine machine;
  CrashReservation reservation = ReadCrashReservation(machine.Root());
  EXPECT_EQ(reservation.ranges, (std::vector{Range(0x5f000000, 0x6effffff)}));
  EXPECT_EQ(reservation.Present(), true);
  EXPECT_EQ(reservation.Target(), Range(0x5f000000, 0x6effffff));
  EXPECT_EQ(reservation.TargetSize(), 256u << 20);
  EXPECT_FALSE(reservation.hidden);
}

TEST(Reservation, HighAndLowRangeLoadsIntoTheHighOne) {
  FakeMachine machine;
  machine.Set("proc/iomem",
              "00100000-7fffffff : System RAM\n"
              "  6f000000-7effffff : Crash kernel\n"
              "100000000-4ffffffff : System RAM\n"
              "    40f000000-42effffff : Crash kernel\n");
  machine.Set("sys/kernel/kexec_crash_size", "805306368\n");
  CrashReservation reservation = ReadCrashReservation(machine.Root());
  ASSERT_EQ(reservation.ranges.size(), 2u);
  EXPECT_EQ(reservation.TargetSize(), 512u << 20);
}

TEST(Reservation, NoneIsCertainWhenListedOrSized) {
  FakeMachine machine;
  machine.Set("proc/iomem", "00100000-7fffffff : System RAM\n");
  machine.Set("sys/kernel/kexec_crash_size", "0\n");
  EXPECT_EQ(ReadCrashReservation(machine.Root()).Present(), false);
  EXPECT_FALSE(ReadCrashReservation(machine.Root()).Target());
  machine.Remove("sys/kernel/kexec_crash_size");
  EXPECT_EQ(ReadCrashReservation(machine.Root()).Present(), false);
  machine.Remove("proc/iomem");
  EXPECT_EQ(ReadCrashReservation(machine.Root()).Present(), std::nullopt);
}

TEST(Reservation, HiddenAddressesLeaveTheSize) {
  FakeMachine machine;
  machine.Set("proc/iomem", "00000000-00000000 : System RAM\n  00000000-00000000 : Crash kernel\n");
  CrashReservation reservation = ReadCrashReservation(machine.Root());
  EXPECT_TRUE(reservation.hidden);
  EXPECT_EQ(reservation.Present(), true);
  EXPECT_FALSE(reservation.Target());
  EXPECT_EQ(reservation.TargetSize(), 256u << 20);
  machine.Remove("sys/kernel/kexec_crash_size");
  EXPECT_EQ(ReadCrashReservation(machine.Root()).Present(), true);
  EXPECT_EQ(ReadCrashReservation(machine.Root()).TargetSize(), std::nullopt);
}

TEST(Reservation, NewPlaceComesFirst) {
  FakeMachine machine;
  machine.Remove("proc/iomem");
  machine.Set("sys/kernel/kexec/crash_size", "1048576\n");
  EXPECT_EQ(ReadCrashReservation(machine.Root()).TargetSize(), 1u << 20);
}

TEST(Reservation, CmaRangesAreListed) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec/crash_cma_ranges", "10000000-1fffffff\n30000000-3fffffff\n");
  EXPECT_EQ(ReadCrashReservation(machine.Root()).cma,
            (std::vector{Range(0x10000000, 0x1fffffff), Range(0x30000000, 0x3fffffff)}));
}

TEST(Reservation, OnlyTheExactNameCounts) {
  FakeMachine machine;
  machine.Set("proc/iomem", "1000-1fff : Crash kernel (old)\n2000-2fff : Crash\n");
  EXPECT_TRUE(ReadCrashReservation(machine.Root()).ranges.empty());
}

}  // namespace
}  // namespace kdumpkit
