// SPDX-License-Identifier: GPL-2.0-or-later
// The command lines of the programs and scripts that call kexec, word for word: what reaches the
// kernel, and the exit status. K and I stand for the kernel and the initramfs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "tests/kexec/fake_machine.h"
#include "tests/kexec/image_builder.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Words = std::vector<std::string>;

// As kdump-config makes it of /proc/cmdline: blanks stay where words were taken out.
constexpr char kLine[] =
    "BOOT_IMAGE=/vmlinuz root=/dev/vda1  quiet reset_devices nr_cpus=1 irqpoll";

struct LoadLine {
  const char* caller;
  Words args;
  Slot slot;
  std::string command_line;
  bool initrd = true;
  uint64_t optional_flags = 0;
};

const LoadLine kLoadLines[] = {
    // Fedora, RHEL: kdumpctl and early-kdump. KDUMP_KEXEC_ARGS come first; Secure Boot adds "-s".
    {"kdumpctl", {"-s", "-p", "--command-line=a b", "--initrd=I", "K"}, Slot::kCrash, "a b"},
    {"kdumpctl, no arguments", {"-p", "--command-line=a", "--initrd=I", "K"}, Slot::kCrash, "a"},
    {"kdumpctl, Secure Boot",
     {"-s", "-s", "-p", "--command-line=a", "--initrd=I", "K"},
     Slot::kCrash,
     "a"},
    {"kdumpctl, ppc64",
     {"--dt-no-old-root", "-s", "-p", "--command-line=a", "--initrd=I", "K"},
     Slot::kCrash,
     "a"},
    {"kdumpctl, i686",
     {"--elf32-core-headers", "-p", "--command-line=a", "--initrd=I", "K"},
     Slot::kCrash,
     "a"},
    {"kdumpctl, i686 with PAE",
     {"--elf64-core-headers", "-p", "--command-line=a", "--initrd=I", "K"},
     Slot::kCrash,
     "a"},
    {"kdumpctl, debugging",
     {"-d", "-s", "-p", "--command-line=a", "--initrd=I", "K"},
     Slot::kCrash,
     "a",
     true,
     kFileDebug},
    // Debian, Ubuntu: kdump-config 1.8. KDUMP_KEXEC_ARGS come after -p.
    {"kdump-config",
     {"-p", std::string("--command-line=") + kLine, "--initrd=I", "K"},
     Slot::kCrash,
     kLine},
    {"kdump-config, Secure Boot",
     {"-p", "-s", "--command-line=a", "--initrd=I", "K"},
     Slot::kCrash,
     "a"},
    {"kdump-config, with arguments",
     {"-p", "-s", "--args-linux", "--elf64-core-headers", "--command-line=a", "--initrd=I", "K"},
     Slot::kCrash,
     "a"},
    {"kdump-config, no initrd",
     {"-p", "--command-line=a \"b c\"", "K"},
     Slot::kCrash,
     "a \"b c\"",
     false},
    // Debian's kexec-tools: init.d/kexec-load.
    {"kexec-load", {"-l", "K", "--append=a b"}, Slot::kReboot, "a b", false},
    {"kexec-load, initrd", {"-l", "K", "--initrd=I", "--append=a b"}, Slot::kReboot, "a b"},
    // openSUSE: load.sh; options follow the kernel.
    {"openSUSE", {"-p", "K", "--append=a b", "--initrd=I", "-a"}, Slot::kCrash, "a b"},
    {"openSUSE, KEXEC_OPTIONS",
     {"-p", "K", "--append=a", "--initrd=I", "--noefi", "-a"},
     Slot::kCrash,
     "a"},
    {"SteamOS", {"-s", "-p", "K", "--initrd", "I", "--append=a b"}, Slot::kCrash, "a b"},
    // systemctl kexec, before systemd called the kernel itself.
    {"systemctl", {"--load", "K", "--append", "a b", "--initrd", "I"}, Slot::kReboot, "a b"},
    {"systemctl, no initrd", {"--load", "K", "--append", "a"}, Slot::kReboot, "a", false},
    {"nixos-images",
     {"--load", "--kexec-syscall-auto", "--initrd=I", "--append=init=/nix/store/x a", "--", "K"},
     Slot::kReboot,
     "init=/nix/store/x a"},
    {"nixos-images, short names",
     {"--load", "--kexec-syscall-a", "--ini=I", "--app=a", "--", "K"},
     Slot::kReboot,
     "a"},
    {"tukit",
     {"-a", "-l", "K", "--initrd=I", "--reuse-cmdline"},
     Slot::kReboot,
     "root=/dev/vda1 ro quiet crashkernel=256M"},
    {"petitboot",
     {"-l", "--debug", "--initrd=I", "--append=a b", "K"},
     Slot::kReboot,
     "a b",
     true,
     kFileDebug},
};

Words Filled(const FakeMachine& machine, Words args) {
  for (std::string& word : args) {
    if (word == "K") word = machine.KernelPath();
    if (word == "I") word = machine.InitrdPath();
    if (word == "--initrd=I" || word == "--ini=I")
      word.replace(word.size() - 1, 1, machine.InitrdPath());
  }
  return args;
}

uint64_t FlagsOf(const LoadLine& line) {
  uint64_t flags = line.optional_flags;
  if (line.slot == Slot::kCrash) flags |= kFileOnCrash;
  if (!line.initrd) flags |= kFileNoInitramfs;
  return flags;
}

class LoadLines : public testing::TestWithParam<LoadLine> {
 protected:
  int Run() { return machine_.Run(Filled(machine_, GetParam().args)); }
  std::string LoadedFile() const {
    return GetParam().slot == Slot::kCrash ? "sys/kernel/kexec_crash_loaded"
                                           : "sys/kernel/kexec_loaded";
  }

  FakeMachine machine_;
};

TEST_P(LoadLines, ReachTheKernel) {
  EXPECT_EQ(Run(), 0) << machine_.err;
  ASSERT_EQ(machine_.kernel.loads.size(), 1u);
  const auto& call = machine_.kernel.loads[0];
  EXPECT_EQ(call.kernel, machine_.KernelPath());
  EXPECT_EQ(call.initrd, GetParam().initrd ? machine_.InitrdPath() : "");
  EXPECT_EQ(call.command_line, GetParam().command_line);
  EXPECT_EQ(call.flags, FlagsOf(GetParam()));
  EXPECT_EQ(machine_.Get(LoadedFile()), "1\n");
  EXPECT_THAT(machine_.kernel.did, IsEmpty());
}

// Scripts run it from cron, journals and consoles.
TEST_P(LoadLines, AreSilentUnlessTheyDebug) {
  Run();
  EXPECT_EQ(machine_.out, "");
  bool debug = (GetParam().optional_flags & kFileDebug) != 0;
  EXPECT_EQ(machine_.err.empty(), !debug) << machine_.err;
}

TEST_P(LoadLines, LoadAgain) {
  Run();
  EXPECT_EQ(Run(), 0) << machine_.err;
  EXPECT_EQ(machine_.kernel.loads.size(), 2u);
  EXPECT_EQ(machine_.Get(LoadedFile()), "1\n");
}

// openSUSE's kdump-early.service takes 6 for success; kdumpctl and kdump-config ask for 0 or not.
TEST_P(LoadLines, AFailureHasAStatusThatNobodyTakesForSuccess) {
  for (int error : {ENOMEM, EPERM, EADDRNOTAVAIL, EKEYREJECTED, ENXIO}) {
    machine_.kernel.answers = {error};
    EXPECT_EQ(Run(), 255) << error;
    EXPECT_THAT(machine_.err, HasSubstr("kexec: "));
    EXPECT_EQ(machine_.out, "");
  }
}

// A running kernel without kexec_file_load: only "-s" insists on it.
TEST_P(LoadLines, FallBackUnlessTheCallerInsists) {
  machine_.kernel.answers = {ENOSYS};
  const Words& args = GetParam().args;
  bool insists = std::find(args.begin(), args.end(), "-s") != args.end();
  EXPECT_EQ(Run(), insists ? 255 : 0) << machine_.err;
  ASSERT_EQ(machine_.kernel.segment_loads.size(), insists ? 0u : 1u);
  if (insists) return;
  const SegmentCall& call = machine_.kernel.segment_loads[0];
  EXPECT_EQ(call.flags & kLoadOnCrash, GetParam().slot == Slot::kCrash ? kLoadOnCrash : 0);
  EXPECT_TRUE(std::any_of(call.segments.begin(), call.segments.end(), [](const auto& segment) {
    return AsText(segment.second).find(GetParam().command_line) != std::string_view::npos;
  }));
}

TEST_P(LoadLines, AMissingKernelIsAFailure) {
  machine_.Remove("boot/vmlinuz");
  EXPECT_EQ(Run(), 255);
  EXPECT_THAT(machine_.err, HasSubstr(machine_.KernelPath()));
  EXPECT_THAT(machine_.kernel.loads, IsEmpty());
}

std::string NameOf(const testing::TestParamInfo<LoadLine>& info) {
  std::string name = info.param.caller;
  std::erase_if(name, [](char c) { return !isalnum(static_cast<unsigned char>(c)); });
  return name;
}

INSTANTIATE_TEST_SUITE_P(Callers, LoadLines, testing::ValuesIn(kLoadLines), NameOf);

// kdump-config adds --args-linux when file(1) says ELF.
TEST(Callers, KdumpConfigLoadsAnElfKernel) {
  FakeMachine machine;
  std::string vmlinux = machine.File("boot/vmlinux", MakeElfKernel(VmlinuxFields()));
  EXPECT_EQ(machine.Run(Filled(
                machine, {"-p", "--args-linux", "--command-line=a b", "--initrd=I", vmlinux})),
            0)
      << machine.err;
  EXPECT_THAT(machine.kernel.loads, IsEmpty());
  ASSERT_EQ(machine.kernel.segment_loads.size(), 1u);
  EXPECT_EQ(machine.kernel.segment_loads[0].flags, kLoadOnCrash);
  EXPECT_EQ(machine.Get("sys/kernel/kexec_crash_loaded"), "1\n");
}

// With Secure Boot it adds -s, too, and then no call can take the file.
TEST(Callers, KdumpConfigIsToldWhyAnElfKernelCannotBeLoadedWithSecureBoot) {
  FakeMachine machine;
  std::string vmlinux = machine.File("boot/vmlinux", MakeElfKernel(VmlinuxFields()));
  EXPECT_EQ(machine.Run({"-p", "-s", "--args-linux", "--command-line=a", vmlinux}), 1);
  EXPECT_THAT(machine.err, HasSubstr("leave -s out"));
  EXPECT_THAT(machine.kernel.segment_loads, IsEmpty());
}

struct UnloadLine {
  const char* caller;
  Words args;
};

const UnloadLine kUnloadLines[] = {
    {"kdumpctl", {"-p", "-u"}},       {"kdumpctl, KEXEC_ARGS", {"-s", "-p", "-u"}},
    {"kdump-config", {"-p", "-u"}},   {"kdump-config, Secure Boot", {"-s", "-p", "-u"}},
    {"openSUSE", {"-a", "-p", "-u"}},
};

TEST(Callers, UnloadLines) {
  for (const UnloadLine& line : kUnloadLines) {
    FakeMachine machine;
    machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
    machine.Set("sys/kernel/kexec_loaded", "1\n");
    EXPECT_EQ(machine.Run(line.args), 0) << line.caller;
    EXPECT_THAT(machine.kernel.unloads, ElementsAre(kFileOnCrash)) << line.caller;
    EXPECT_EQ(machine.Get("sys/kernel/kexec_crash_loaded"), "0\n");
    EXPECT_EQ(machine.Get("sys/kernel/kexec_loaded"), "1\n");
    EXPECT_EQ(machine.out + machine.err, "");
  }
}

// "kdumpctl stop" and "kdump-config unload" when nothing is loaded.
TEST(Callers, UnloadLinesOfAnEmptySlot) {
  for (const UnloadLine& line : kUnloadLines) {
    FakeMachine machine;
    EXPECT_EQ(machine.Run(line.args), 0) << line.caller;
    EXPECT_EQ(machine.out + machine.err, "");
  }
}

TEST(Callers, UnloadThatIsForbiddenFails) {
  for (const UnloadLine& line : kUnloadLines) {
    FakeMachine machine;
    machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
    machine.kernel.answers = {EPERM};
    EXPECT_EQ(machine.Run(line.args), 255) << line.caller;
    EXPECT_EQ(machine.Get("sys/kernel/kexec_crash_loaded"), "1\n");
  }
}

// init.d/kexec asks for the loaded kernel itself, then calls.
TEST(Callers, InitScriptStartsTheLoadedKernel) {
  FakeMachine machine;
  machine.RunWithKernel({"-l", "--append=a"});
  machine.Run({"-e"});
  EXPECT_THAT(machine.kernel.did, ElementsAre("sync", "interfaces down", "reboot"));
}

// systemd-shutdown: no file system but the root is left, that read-only; if the program comes back
// an ordinary reboot follows.
TEST(Callers, SystemdShutdownStartsWhatIsLoadedWithoutSysfs) {
  FakeMachine machine;
  for (const char* file : {"sys/kernel/kexec_loaded", "sys/kernel/kexec_crash_loaded",
                           "proc/cmdline", "proc/iomem", "proc/self/status"})
    machine.Remove(file);
  machine.kernel.answers = {EINVAL};
  EXPECT_EQ(machine.Run({"-e"}), 255);
  ASSERT_FALSE(machine.kernel.did.empty());
  EXPECT_EQ(machine.kernel.did.back(), "reboot");
}

TEST(Callers, SystemdShutdownWithNothingLoaded) {
  FakeMachine machine;
  EXPECT_EQ(machine.Run({"-e"}), 1);
  EXPECT_THAT(machine.kernel.did, IsEmpty());
}

// A device tree of one's own is for other machines; nothing is loaded without it.
TEST(Callers, PetitbootWithADeviceTreeIsRefusedHere) {
  FakeMachine machine;
  EXPECT_EQ(machine.Run(Filled(
                machine, {"-l", "--debug", "--initrd=I", "--dtb=/boot/dtb", "--append=a", "K"})),
            1);
  EXPECT_THAT(machine.err, HasSubstr("--dtb"));
  EXPECT_THAT(machine.kernel.loads, IsEmpty());
}

// What people and other scripts look at.
TEST(Callers, StatusIsInverted) {
  FakeMachine machine;
  EXPECT_EQ(machine.Run({"-S"}), 0);
  machine.RunWithKernel({"-p", "--append=a"});
  EXPECT_EQ(machine.Run({"-S"}), 1);
  EXPECT_EQ(machine.Run({"-l", "-S"}), 0);
}

}  // namespace
}  // namespace kdumpkit
