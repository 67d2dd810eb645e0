// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/memory_map.h"

#include <gtest/gtest.h>

#include "tests/kexec/segment_machine.h"

namespace kdumpkit {
namespace {

using enum E820Type;
using Map = std::vector<E820Entry>;

Map NormalMap(const FakeMachine& machine) {
  Iomem iomem = ReadIomem(machine.Root()).value();
  return NormalMemoryMap(machine.Root(), iomem).value();
}

Map CrashMap(std::string_view iomem, std::vector<PhysRange> kept_out,
             std::vector<PhysRange> cma = {}) {
  FakeMachine machine;
  machine.Set("proc/iomem", iomem);
  CrashReservation reservation = ReadCrashReservation(machine.Root());
  reservation.cma = std::move(cma);
  return CrashMemoryMap(ParseIomem(iomem), reservation, std::move(kept_out));
}

TEST(NormalMemoryMap, IsFirmwares) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  // Numbers say nothing of the order: memory that is plugged in later is number 0.
  AddFirmwareRange(machine, 10, 0x40000, 0x4ffff, "Persistent Memory (legacy)");
  AddFirmwareRange(machine, 11, 0x50000, 0x5ffff, "Soft Reserved");
  AddFirmwareRange(machine, 12, 0x60000, 0x6ffff, "Something new");
  EXPECT_EQ(NormalMap(machine), (Map{{Inclusive(0, 0x9fbff), kRam},
                                     {Inclusive(0x40000, 0x4ffff), kPersistentLegacy},
                                     {Inclusive(0x50000, 0x5ffff), kSoftReserved},
                                     {Inclusive(0x60000, 0x6ffff), kReserved},
                                     {Inclusive(0x9fc00, 0x9ffff), kReserved},
                                     {Inclusive(0xf0000, 0xfffff), kReserved},
                                     {Inclusive(0x100000, 0x7ffdffff), kRam},
                                     {Inclusive(0x7ffe0000, 0x7fffffff), kReserved}}));
}

TEST(NormalMemoryMap, IomemServesWithoutFirmwares) {
  FakeMachine machine;
  machine.Set("proc/iomem", kIomemEfi);
  EXPECT_EQ(NormalMap(machine), (Map{{Inclusive(0, 0xfff), kReserved},
                                     {Inclusive(0x1000, 0x57fff), kRam},
                                     {Inclusive(0x58000, 0x58fff), kReserved},
                                     {Inclusive(0x59000, 0x9ffff), kRam},
                                     {Inclusive(0x100000, 0x7fffff), kRam},
                                     {Inclusive(0x800000, 0x807fff), kNvs},
                                     {Inclusive(0x808000, 0x7eea0fff), kRam},
                                     {Inclusive(0x7eea1000, 0x7ef61fff), kReserved},
                                     {Inclusive(0x7fb6d000, 0x7fb7efff), kAcpi},
                                     {Inclusive(0x7fb7f000, 0x7fbfefff), kUnusable},
                                     {Inclusive(0x140000000, 0x23fffffff), kPersistent},
                                     {Inclusive(0x240000000, 0x27fffffff), kPersistentLegacy}}));
}

TEST(NormalMemoryMap, IomemServesWhenTheKernelAddedEfisRanges) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  machine.Set("proc/cmdline", "ro xadd_efi_memmap quiet\n");
  EXPECT_EQ(NormalMap(machine).size(), 5u);
  machine.Set("proc/cmdline", std::string(1000, 'x') + " add_efi_memmap quiet\n");
  EXPECT_GT(NormalMap(machine).size(), 5u);
}

TEST(NormalMemoryMap, UnreadableEntryIsAnErrorThatNamesIt) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  Iomem iomem = ReadIomem(machine.Root()).value();
  for (const char* text : {"", "9fbff\n", "0x\n", "0xzz\n", "0x10000000000000000\n"}) {
    machine.Set("sys/firmware/memmap/2/start", text);
    std::string message = NormalMemoryMap(machine.Root(), iomem).error().message();
    EXPECT_NE(message.find("/sys/firmware/memmap/2/start"), std::string::npos) << message;
  }
  machine.Set("sys/firmware/memmap/2/start", "0x100000\n");  // its end is below
  EXPECT_EQ(NormalMemoryMap(machine.Root(), iomem).error().message(),
            "'/sys/firmware/memmap/2': a range from 0x100000 to 0xfffff");
}

TEST(CrashMemoryMap, LowMemoryAndTheReservation) {
  EXPECT_EQ(CrashMap(kIomem2GiB, {Inclusive(0x6e000000, 0x6e09ffff)}),
            (Map{{Inclusive(0, 0xfff), kReserved},
                 {Inclusive(0x1000, 0x9fbff), kRam},
                 {Inclusive(0x9fc00, 0x9ffff), kReserved},
                 {Inclusive(0xf0000, 0xfffff), kReserved},
                 {Inclusive(0x6e0a0000, 0x7dffffff), kRam},
                 {Inclusive(0x7ffe0000, 0x7fffffff), kReserved},
                 {Inclusive(0xb0000000, 0xbfffffff), kReserved},
                 {Inclusive(0xfed1c000, 0xfed1ffff), kReserved},
                 {Inclusive(0xfffc0000, 0xffffffff), kReserved},
                 {Inclusive(0xfd00000000, 0xffffffffff), kReserved}}));
}

TEST(CrashMemoryMap, BothRangesOfTheReservation) {
  std::vector<PhysRange> ram = RangesOfType(
      CrashMap(kIomem6GiB,
               {Inclusive(0x1ef000000, 0x1ef09efff), Inclusive(0x1ef09f000, 0x1ef09ffff)}),
      kRam);
  EXPECT_EQ(ram, (std::vector{Inclusive(0x1000, 0x9fbff), Inclusive(0x6e000000, 0x7dffffff),
                              Inclusive(0x1ef0a0000, 0x1feffffff)}));
}

TEST(CrashMemoryMap, WhatCmaLendsIsRam) {
  std::vector<PhysRange> ram =
      RangesOfType(CrashMap(kIomem2GiB, {}, {Inclusive(0x10000000, 0x1fffffff)}), kRam);
  EXPECT_EQ(ram, (std::vector{Inclusive(0x1000, 0x9fbff), Inclusive(0x10000000, 0x1fffffff),
                              Inclusive(0x6e000000, 0x7dffffff)}));
}

TEST(CrashMemoryMap, AcpiAndPersistentMemoryAreTold) {
  EXPECT_EQ(CrashMap(kIomemEfi, {}),
            (Map{{Inclusive(0, 0xfff), kReserved},
                 {Inclusive(0x1000, 0x57fff), kRam},
                 {Inclusive(0x58000, 0x58fff), kReserved},
                 {Inclusive(0x59000, 0x9ffff), kRam},
                 {Inclusive(0x800000, 0x807fff), kNvs},
                 {Inclusive(0x60000000, 0x6fffffff), kRam},
                 {Inclusive(0x7eea1000, 0x7ef61fff), kReserved},
                 {Inclusive(0x7fb6d000, 0x7fb7efff), kAcpi},
                 {Inclusive(0x140000000, 0x23fffffff), kPersistent},
                 {Inclusive(0x240000000, 0x27fffffff), kPersistentLegacy}}));
}

TEST(LowRam, EndsAt640KiB) {
  EXPECT_EQ(LowRam(ParseIomem("00001000-7fffffff : System RAM\n")),
            (std::vector{Inclusive(0x1000, 0x9ffff)}));
  EXPECT_TRUE(LowRam(ParseIomem("00100000-7fffffff : System RAM\n")).empty());
}

TEST(E820, NamesAreTheKernels) {
  EXPECT_EQ(E820TypeName(kRam), "System RAM");
  EXPECT_EQ(E820TypeName(kReserved), "Reserved");
  EXPECT_EQ(E820TypeName(kPersistentLegacy), "Persistent Memory (legacy)");
}

}  // namespace
}  // namespace kdumpkit
