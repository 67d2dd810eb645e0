// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/system_state.h"

#include <gtest/gtest.h>

#include "kexec/text.h"
#include "tests/kexec/fake_machine.h"

namespace kdumpkit {
namespace {

using namespace std::string_literals;

constexpr const char* kSecureBoot =
    "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
constexpr const char* kSetupMode =
    "sys/firmware/efi/efivars/SetupMode-8be4df61-93ca-11d2-aa0d-00e098032b8c";

TEST(SystemState, ReadsEveryFile) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec_loaded", "1\n");
  machine.Set("sys/kernel/crash_elfcorehdr_size", "573504\n");
  machine.Set("sys/kernel/config/crash_dm_crypt_keys/count", "2\n");
  machine.Set("proc/sys/kernel/kexec_load_limit_panic", "3\n");
  SystemState state = SystemState::Read(machine.Root());
  EXPECT_EQ(state.loaded, true);
  EXPECT_EQ(state.crash_loaded, false);
  EXPECT_EQ(state.LoadedIn(Slot::kReboot), true);
  EXPECT_EQ(state.LoadedIn(Slot::kCrash), false);
  EXPECT_EQ(state.can_boot, true);
  EXPECT_EQ(state.load_disabled, false);
  EXPECT_EQ(state.LimitOf(Slot::kReboot), -1);
  EXPECT_EQ(state.LimitOf(Slot::kCrash), 3);
  EXPECT_EQ(state.lockdown, "none");
  EXPECT_FALSE(state.LockedDown());
  EXPECT_EQ(state.secure_boot, std::nullopt);
  EXPECT_FALSE(state.ima);
  EXPECT_EQ(state.elfcorehdr_size, 573504u);
  EXPECT_EQ(state.memory, 2000000u * 1024);
  EXPECT_EQ(state.dm_crypt_keys, 2u);
}

TEST(SystemState, AnEmptyTreeIsAllUnknown) {
  TempDir empty;
  SystemState state = SystemState::Read(RootDir::Open(empty.path()).value());
  EXPECT_FALSE(state.loaded || state.crash_loaded || state.can_boot || state.load_disabled);
  EXPECT_FALSE(state.limit_panic || state.limit_reboot || state.lockdown || state.secure_boot);
  EXPECT_FALSE(state.elfcorehdr_size || state.memory || state.dm_crypt_keys || state.ima);
}

TEST(SystemState, NewPlacesComeFirst) {
  FakeMachine machine;
  RootDir root = machine.Root();
  EXPECT_EQ(KexecFilePath(root, KexecFile::kCrashLoaded), "/sys/kernel/kexec_crash_loaded");
  machine.Set("sys/kernel/kexec/crash_loaded", "1\n");
  EXPECT_EQ(SystemState::Read(root).crash_loaded, true);
  EXPECT_EQ(KexecFilePath(root, KexecFile::kCrashLoaded), "/sys/kernel/kexec/crash_loaded");
  machine.Set("sys/kernel/kexec/loaded", "1\n");
  EXPECT_EQ(SystemState::Read(root).loaded, true);
  machine.Set("sys/kernel/kexec/crash_elfcorehdr_size", "1234567\n");
  EXPECT_EQ(SystemState::Read(root).elfcorehdr_size, 1234567u);
}

TEST(SystemState, MissingCapability) {
  FakeMachine machine;
  machine.Set("proc/self/status", "CapEff:\t000001ffffbfffff\n");
  EXPECT_EQ(SystemState::Read(machine.Root()).can_boot, false);
  machine.Set("proc/self/status", "CapEff:\tnonsense\n");
  EXPECT_EQ(SystemState::Read(machine.Root()).can_boot, std::nullopt);
}

TEST(SystemState, LockdownIsTheWordInBrackets) {
  FakeMachine machine;
  machine.Set("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  EXPECT_EQ(SystemState::Read(machine.Root()).lockdown, "integrity");
  EXPECT_TRUE(SystemState::Read(machine.Root()).LockedDown());
  for (const char* text : {"none\n", "]none[\n", "\n"}) {
    machine.Set("sys/kernel/security/lockdown", text);
    EXPECT_EQ(SystemState::Read(machine.Root()).lockdown, std::nullopt);
  }
}

TEST(SystemState, SecureBootNeedsUserMode) {
  FakeMachine machine;
  machine.Set(kSecureBoot, "\6\0\0\0\1"s);
  EXPECT_EQ(SystemState::Read(machine.Root()).secure_boot, true);
  machine.Set(kSetupMode, "\6\0\0\0\1"s);
  EXPECT_EQ(SystemState::Read(machine.Root()).secure_boot, false);
  machine.Set(kSecureBoot, "\6\0\0\0\0"s);
  EXPECT_EQ(SystemState::Read(machine.Root()).secure_boot, false);
  machine.Set(kSecureBoot, "\1"s);
  EXPECT_EQ(SystemState::Read(machine.Root()).secure_boot, std::nullopt);
}

TEST(Text, Numbers) {
  EXPECT_EQ(ParseNumber("42"), 42u);
  EXPECT_EQ(ParseNumber("ff", 16), 255u);
  for (const char* bad : {"", " 1", "1 ", "1x", "-1", "99999999999999999999"})
    EXPECT_FALSE(ParseNumber(bad)) << bad;
}

TEST(Text, Fields) {
  EXPECT_EQ(FieldOf("A: 1\nMemTotal:   12 kB\n", "MemTotal"), 12u);
  EXPECT_FALSE(FieldOf("MemTotalX: 1\n", "MemTotal"));
  EXPECT_FALSE(FieldOf("", "MemTotal"));
}

TEST(Text, Sizes) {
  EXPECT_EQ(SizeText(0), "0 bytes");
  EXPECT_EQ(SizeText(1023), "1023 bytes");
  EXPECT_EQ(SizeText(1025), "2 KiB");
  EXPECT_EQ(SizeText(256u << 20), "256 MiB");
  EXPECT_EQ(SizeText((63u << 20) + (614u << 10)), "63.6 MiB");
}

TEST(Text, JoinAndLines) {
  EXPECT_EQ(Join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(Join({}, ", "), "");
  EXPECT_EQ(SplitLines("a\n\nb"), (std::vector<std::string_view>{"a", "", "b"}));
}

}  // namespace
}  // namespace kdumpkit
