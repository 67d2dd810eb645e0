// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/boot_params.h"

#include <gtest/gtest.h>

#include "tests/kexec/image_builder.h"
#include "tests/kexec/segment_machine.h"

namespace kdumpkit {
namespace {

constexpr PhysAddr kAddress{0x17dffe000};

BootParamsInput SmallInput() {
  BootParamsInput input;
  static const ByteBuffer header = SetupHeaderOf(AsBytes(MakeBzImage())).value();
  input.setup_header = header;
  input.command_line = "console=ttyS0 root=/dev/vda";
  input.memory_map = {{Inclusive(0, 0x9ffff), E820Type::kRam},
                      {Inclusive(0xf0000, 0xfffff), E820Type::kReserved}};
  return input;
}

TEST(BootParams, TheSetupHeaderIsTheKernels) {
  ByteBuffer bytes = MakeBootParams(SmallInput(), kAddress);
  EXPECT_EQ(Field<uint8_t>(bytes, 0x1f1), 3u);            // setup_sects
  EXPECT_EQ(Field<uint16_t>(bytes, 0x1fe), 0xaa55u);      // boot_flag
  EXPECT_EQ(Field<uint32_t>(bytes, 0x202), 0x53726448u);  // "HdrS"
  EXPECT_EQ(Field<uint16_t>(bytes, 0x206), 0x20fu);       // version
  EXPECT_EQ(Field<uint8_t>(bytes, 0x210), 0xd0u);         // type_of_loader
  EXPECT_EQ(Field<uint8_t>(bytes, 0x211), 0u);            // loadflags
  EXPECT_EQ(Field<uint32_t>(bytes, 0x230), 0x200000u);    // kernel_alignment
  EXPECT_EQ(Field<uint64_t>(bytes, 0x258), 0x1000000u);   // pref_address
  EXPECT_EQ(Field<uint32_t>(bytes, 0x260), 48u << 20);    // init_size
  // Nothing of the bzImage in front of and behind the header; 0xc8 is the command line's address.
  EXPECT_TRUE(IsZero(ByteView(bytes).first(0xc8)));
  EXPECT_TRUE(IsZero(ByteView(bytes).subspan(0xcc, 0x1e8 - 0xcc)));
  EXPECT_EQ(Field<uint8_t>(bytes, 0x1ef), 0u);  // sentinel
  EXPECT_TRUE(IsZero(ByteView(bytes).subspan(0x26c, 0x2d0 - 0x26c)));
}

TEST(BootParams, CommandLineLiesBehindAndIsFoundAbove4GiB) {
  BootParamsInput input = SmallInput();
  ByteBuffer bytes = MakeBootParams(input, kAddress);
  EXPECT_GE(Halves(bytes, 0x228, 0xc8), kAddress.value + 4096);
  EXPECT_EQ(ReadCommandLine(bytes, kAddress), input.command_line);
  EXPECT_EQ(bytes.back(), std::byte{0});
  input.command_line.clear();
  EXPECT_EQ(ReadCommandLine(MakeBootParams(input, kAddress), kAddress), "");
}

TEST(BootParams, InitrdAbove4GiB) {
  BootParamsInput input = SmallInput();
  EXPECT_EQ(Halves(MakeBootParams(input, kAddress), 0x21c, 0xc4), 0u);
  input.initrd = {PhysAddr(0x1234567000), 0x123456789};
  ByteBuffer bytes = MakeBootParams(input, kAddress);
  EXPECT_EQ(Halves(bytes, 0x218, 0xc0), 0x1234567000u);
  EXPECT_EQ(Halves(bytes, 0x21c, 0xc4), 0x123456789u);
}

TEST(BootParams, WhatTheMachineIsComesFromTheRunningKernel) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  ByteBuffer running = ReadRunningBootParams(machine.Root());
  BootParamsInput input = SmallInput();
  input.running = running;
  input.acpi_rsdp = 0xf59e0;
  ByteBuffer bytes = MakeBootParams(input, kAddress);
  EXPECT_EQ(Field<uint16_t>(bytes, 0), 0xa1a0u);  // screen_info
  EXPECT_EQ(Field<uint16_t>(bytes, 2), 0u);       // but not its ext_mem_k
  EXPECT_EQ(Field<uint32_t>(bytes, 0x3c), 0xdfdedddcu);
  EXPECT_EQ(Field<uint64_t>(bytes, 0x70), 0xf59e0u);
  EXPECT_EQ(Field<uint16_t>(bytes, 0x1e9), 0x201u);
  EXPECT_EQ(Field<uint32_t>(bytes, 0x23c), 3u);
  EXPECT_EQ(Field<uint32_t>(bytes, 0x290), 0x12345678u);
  EXPECT_EQ(Field<uint64_t>(bytes, 0xd00), 0x1122334455667788u);
  // Nothing of its boot loader and firmware.
  EXPECT_EQ(Field<uint8_t>(bytes, 0x1ef), 0u);
  EXPECT_EQ(Field<uint32_t>(bytes, 0x1c0), 0u);
  EXPECT_EQ(Field<uint8_t>(bytes, 0x1ec), 0u);
}

TEST(BootParams, RunningKernelsMustBeWhole) {
  FakeMachine machine;
  EXPECT_TRUE(ReadRunningBootParams(machine.Root()).empty());
  machine.Set("sys/kernel/boot_params/data", std::string(4095, 'x'));
  EXPECT_TRUE(ReadRunningBootParams(machine.Root()).empty());
}

std::vector<E820Entry> ManyEntries(size_t count) {
  std::vector<E820Entry> map;
  for (uint64_t i = 0; i < count; ++i)
    map.push_back({{PhysAddr(i << 32), 0x1000 + i}, i % 2 ? E820Type::kReserved : E820Type::kRam});
  return map;
}

TEST(BootParams, MemoryMapUpTo128EntriesInPlace) {
  BootParamsInput input = SmallInput();
  for (size_t count : {0u, 1u, 127u, 128u}) {
    input.memory_map = ManyEntries(count);
    ByteBuffer bytes = MakeBootParams(input, kAddress);
    EXPECT_EQ(Field<uint8_t>(bytes, 0x1e8), count);
    EXPECT_EQ(ReadE820(bytes, kAddress), input.memory_map);
    EXPECT_TRUE(ReadSetupData(bytes, kAddress).empty());
  }
}

TEST(BootParams, MoreEntriesOverflowIntoSetupData) {
  BootParamsInput input = SmallInput();
  for (size_t count : {129u, 1000u, 100000u}) {
    input.memory_map = ManyEntries(count);
    ByteBuffer bytes = MakeBootParams(input, kAddress);
    EXPECT_EQ(Field<uint8_t>(bytes, 0x1e8), 128u);
    EXPECT_EQ(ReadSetupData(bytes, kAddress).at(0).data.size(), (count - 128) * 20);
    EXPECT_EQ(ReadE820(bytes, kAddress), input.memory_map);
    EXPECT_EQ(ReadCommandLine(bytes, kAddress), input.command_line);
  }
}

EfiState SmallEfi() {
  EfiState efi;
  efi.loader_signature = 0x34364c45;
  efi.system_table = 0x17f9ee018;
  efi.runtime_map = {{5, 0x7f8ed000, 0xfffffffeffeed000, 0x100, 0x800000000000000f},
                     {6, 0x7f9ed000, 0xfffffffeffded000, 0xff, 0x800000000000000f}};
  efi.fw_vendor = 0x7f9ee118;
  efi.runtime = 0xfffffffeffb6bb98;
  efi.config_table = 0xfffffffeff9ee018;
  efi.smbios = 0x7f918000;
  return efi;
}

TEST(BootParams, EfiStateAndItsRuntimeMap) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  ByteBuffer running = ReadRunningBootParams(machine.Root());
  BootParamsInput input = SmallInput();
  input.running = running;
  input.efi = SmallEfi();
  ByteBuffer bytes = MakeBootParams(input, kAddress);
  EXPECT_EQ(Field<uint32_t>(bytes, 0x1c0), 0x34364c45u);
  EXPECT_EQ(Halves(bytes, 0x1c4, 0x1d8), 0x17f9ee018u);
  EXPECT_EQ(Field<uint32_t>(bytes, 0x1c8), 40u);  // bytes a descriptor
  EXPECT_EQ(Field<uint32_t>(bytes, 0x1cc), 1u);   // their version
  EXPECT_EQ(Field<uint32_t>(bytes, 0x1d4), 80u);  // bytes of the map
  EXPECT_EQ(Field<uint8_t>(bytes, 0x1ec), 2u);    // secure_boot
  ByteView map = ByteView(bytes).subspan(Halves(bytes, 0x1d0, 0x1dc) - kAddress.value, 80);
  EXPECT_EQ(Field<uint32_t>(map, 0), 5u);
  EXPECT_EQ(Field<uint64_t>(map, 8), 0x7f8ed000u);
  EXPECT_EQ(Field<uint64_t>(map, 56), 0xfffffffeffded000u);
  EXPECT_EQ(Field<uint64_t>(map, 64), 0xffu);
  EXPECT_EQ(Field<uint64_t>(map, 72), 0x800000000000000fu);
}

TEST(BootParams, EfiSetupData) {
  BootParamsInput input = SmallInput();
  input.efi = SmallEfi();
  input.random_seed = ByteBuffer(32, std::byte{0x5a});
  input.memory_map = ManyEntries(130);
  ByteBuffer bytes = MakeBootParams(input, kAddress);
  std::vector<SetupRecord> records = ReadSetupData(bytes, kAddress);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].type, 9u);  // SETUP_RNG_SEED
  EXPECT_EQ(ByteBuffer(records[0].data.begin(), records[0].data.end()), input.random_seed);
  EXPECT_EQ(records[1].type, 4u);  // SETUP_EFI
  ASSERT_EQ(records[1].data.size(), 96u);
  EXPECT_EQ(Field<uint64_t>(records[1].data, 0), 0x7f9ee118u);
  EXPECT_EQ(Field<uint64_t>(records[1].data, 8), 0xfffffffeffb6bb98u);
  EXPECT_EQ(Field<uint64_t>(records[1].data, 16), 0xfffffffeff9ee018u);
  EXPECT_EQ(Field<uint64_t>(records[1].data, 24), 0x7f918000u);
  EXPECT_TRUE(IsZero(records[1].data.subspan(32)));
  EXPECT_EQ(records[2].type, 1u);  // SETUP_E820_EXT
  EXPECT_EQ(ReadE820(bytes, kAddress), input.memory_map);
}

// The place is chosen by the size, before the address is known.
TEST(BootParams, SizeDoesNotDependOnTheAddress) {
  BootParamsInput input = SmallInput();
  input.efi = SmallEfi();
  input.memory_map = ManyEntries(131);
  EXPECT_EQ(MakeBootParams(input, PhysAddr(0)).size(), MakeBootParams(input, kAddress).size());
}

TEST(SetupHeader, EndsWhereTheFileSays) {
  std::string file = MakeBzImage();
  EXPECT_EQ(SetupHeaderOf(AsBytes(file))->size(), 0x26cu - 0x1f1);
  file[0x201] = '\xff';  // beyond what boot_params has room for
  EXPECT_EQ(SetupHeaderOf(AsBytes(file))->size(), 0x290u - 0x1f1);
  file[0x201] = 0;
  EXPECT_EQ(SetupHeaderOf(AsBytes(file))->size(), 0x202u - 0x1f1);
}

TEST(SetupHeader, SurvivesEveryPrefix) {
  std::string file = MakeBzImage();
  for (size_t size = 0; size < 0x26c; ++size)
    EXPECT_EQ(SetupHeaderOf(AsBytes(file).first(size)).error().kind(), ErrorKind::kTruncated);
  EXPECT_TRUE(SetupHeaderOf(AsBytes(file).first(0x26c)));
}

// What arch/x86/kernel/setup.c and head64.c look at.
TEST(SetupHeader, OfAnElfFile) {
  BootParamsInput input = SmallInput();
  ByteBuffer header = MakeSetupHeader();
  input.setup_header = header;
  ByteBuffer bytes = MakeBootParams(input, kAddress);
  EXPECT_EQ(Field<uint16_t>(bytes, 0x1f2), 1u);  // root_flags: read-only
  EXPECT_EQ(Field<uint32_t>(bytes, 0x202), 0x53726448u);
  EXPECT_NE(Field<uint16_t>(bytes, 0x206), 0u);
  EXPECT_EQ(Field<uint8_t>(bytes, 0x210), 0xd0u);
  EXPECT_EQ(ReadCommandLine(bytes, kAddress), input.command_line);
}

}  // namespace
}  // namespace kdumpkit
