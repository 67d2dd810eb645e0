// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/efi_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kexec/boot_params.h"
#include "tests/kexec/segment_machine.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

class EfiStateTest : public testing::Test {
 protected:
  EfiStateTest() {
    AddSegmentFiles(machine_);
    AddEfi(machine_);
  }
  Result<EfiState> Read() {
    ByteBuffer running = ReadRunningBootParams(machine_.Root());
    return ReadEfiState(machine_.Root(), running);
  }
  FakeMachine machine_;
};

TEST_F(EfiStateTest, Whole) {
  EfiState state = Read().value();
  EXPECT_EQ(state.loader_signature, 0x34364c45u);
  EXPECT_EQ(state.system_table, 0x17f9ee018u);
  EXPECT_EQ(state.fw_vendor, 0x7f9ee118u);
  EXPECT_EQ(state.runtime, 0xfffffffeffb6bb98u);
  EXPECT_EQ(state.config_table, 0xfffffffeff9ee018u);
  EXPECT_EQ(state.smbios, 0x7f918000u);  // not SMBIOS3
  ASSERT_EQ(state.runtime_map.size(), 2u);
  EXPECT_EQ(state.runtime_map[1].type, 6u);
  EXPECT_EQ(state.runtime_map[1].phys_addr, 0x7f9ed000u);
  EXPECT_EQ(state.runtime_map[1].virt_addr, 0xfffffffeffded000u);
  EXPECT_EQ(state.runtime_map[1].num_pages, 0xffu);
  EXPECT_EQ(state.runtime_map[1].attribute, 0x800000000000000fu);
}

TEST_F(EfiStateTest, EveryPartThatIsMissingIsNamed) {
  for (const char* name : {"fw_vendor", "config_table", "runtime-map/1/virt_addr"}) {
    std::string path = std::string("sys/firmware/efi/") + name;
    std::string text = machine_.Get(path);
    machine_.Remove(path);
    EXPECT_THAT(Read().error().message(), HasSubstr(name));
    machine_.Set(path, "what\n");
    EXPECT_THAT(Read().error().message(), HasSubstr(name));
    machine_.Set(path, text);
  }
  EXPECT_TRUE(Read());
}

TEST_F(EfiStateTest, RuntimeAddressMayBeMissing) {
  machine_.Remove("sys/firmware/efi/runtime");
  EXPECT_EQ(Read()->runtime, 0u);
}

TEST_F(EfiStateTest, NoRuntimeMap) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  machine.Set("sys/firmware/efi/fw_vendor", "0x1000\n");
  ByteBuffer running = ReadRunningBootParams(machine.Root());
  EXPECT_THAT(ReadEfiState(machine.Root(), running).error().message(),
              HasSubstr("'/sys/firmware/efi/runtime-map' is missing"));
}

TEST_F(EfiStateTest, Only64BitFirmware) {
  std::string data = machine_.Get("sys/kernel/boot_params/data");
  machine_.Set("sys/kernel/boot_params/data", data.replace(0x1c0, 4, "EL32"));
  EXPECT_THAT(Read().error().message(), HasSubstr("64-bit"));
  machine_.Remove("sys/kernel/boot_params/data");
  EXPECT_THAT(Read().error().message(), HasSubstr("boot_params"));
}

TEST_F(EfiStateTest, RootPointerOfAcpi) {
  EXPECT_EQ(EfiAcpiRsdp(machine_.Root()), 0x7fb7e014u);
  machine_.Set("sys/firmware/efi/systab", "ACPI=0x7fb7e000\n");
  EXPECT_EQ(EfiAcpiRsdp(machine_.Root()), 0x7fb7e000u);
  machine_.Set("sys/firmware/efi/systab", "ACPI20=what\nSMBIOS=0x1\n");
  EXPECT_EQ(EfiAcpiRsdp(machine_.Root()), std::nullopt);
  EXPECT_TRUE(HasEfi(machine_.Root()));
  EXPECT_FALSE(HasEfi(FakeMachine().Root()));
}

}  // namespace
}  // namespace kdumpkit
