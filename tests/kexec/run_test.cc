// SPDX-License-Identifier: GPL-2.0-or-later
// The program as a whole, against a kernel that answers what the test wants.
#include "kexec/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "tests/kexec/fake_machine.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Run, LoadsACrashKernel) {
  FakeMachine machine;
  EXPECT_EQ(machine.RunWithKernel({"-p", "--append=a b", "--initrd=" + machine.InitrdPath()}),
            kExitDone);
  ASSERT_EQ(machine.kernel.loads.size(), 1u);
  const LoadCall& call = machine.kernel.loads[0];
  EXPECT_EQ(call.kernel, machine.KernelPath());
  EXPECT_EQ(call.initrd, machine.InitrdPath());
  EXPECT_EQ(call.command_line, "a b");
  EXPECT_EQ(call.flags, kFileOnCrash);
  EXPECT_EQ(machine.out + machine.err, "");
  EXPECT_EQ(machine.Get("sys/kernel/kexec_crash_loaded"), "1\n");
}

TEST(Run, LoadsWithoutInitrdAndCommandLine) {
  FakeMachine machine;
  EXPECT_EQ(machine.RunWithKernel({"-l"}), kExitDone);
  const LoadCall& call = machine.kernel.loads[0];
  EXPECT_EQ(call.initrd, "");
  EXPECT_EQ(call.command_line, "");
  EXPECT_EQ(call.flags, kFileNoInitramfs);
  EXPECT_EQ(machine.Get("sys/kernel/kexec_loaded"), "1\n");
}

TEST(Run, ReusesTheCommandLine) {
  FakeMachine machine;
  machine.RunWithKernel({"-p", "--reuse-cmdline", "--append=irqpoll"});
  EXPECT_EQ(machine.kernel.loads[0].command_line, "root=/dev/vda1 ro quiet irqpoll");
}

TEST(Run, DebugPrintsThePlanAndAsksTheKernelForMore) {
  FakeMachine machine;
  EXPECT_EQ(machine.RunWithKernel({"-p", "-d"}), kExitDone);
  EXPECT_EQ(machine.kernel.loads[0].flags, kFileOnCrash | kFileNoInitramfs | kFileDebug);
  EXPECT_THAT(machine.err, HasSubstr("plan:         load a crash kernel"));
  EXPECT_THAT(machine.err, HasSubstr("loaded the crash kernel\n"));
  EXPECT_EQ(machine.out, "");
}

// Confirmed defect of kexec-tools: "-p -d" failed on kernels without the debug flag.
TEST(Run, FlagsTheKernelDoesNotKnowAreLeftOut) {
  FakeMachine machine;
  machine.kernel.known_flags = 0x7;
  EXPECT_EQ(machine.RunWithKernel({"-p", "-d", "--no-cma"}), kExitDone);
  ASSERT_EQ(machine.kernel.loads.size(), 2u);
  EXPECT_EQ(machine.kernel.loads[0].flags, 0x1eu);
  EXPECT_EQ(machine.kernel.loads[1].flags, 0x6u);
  EXPECT_THAT(machine.err, HasSubstr("kexec: warning: this kernel does not know flags 0x10 "
                                     "(NO_CMA): loaded without them"));
}

TEST(Run, OtherEinvalIsNotRetriedWithoutOptionalFlags) {
  FakeMachine machine;
  machine.kernel.answers = {EINVAL};
  EXPECT_EQ(machine.RunWithKernel({"-p", "-s"}), kExitFailed);
  EXPECT_EQ(machine.kernel.loads.size(), 1u);
}

TEST(Run, BusyIsRetried) {
  FakeMachine machine;
  machine.kernel.answers = {EBUSY, EBUSY, 0};
  EXPECT_EQ(machine.RunWithKernel({"-p"}), kExitDone);
  EXPECT_EQ(machine.kernel.loads.size(), 3u);
  EXPECT_EQ(machine.kernel.slept, std::chrono::milliseconds(150));
}

TEST(Run, BusyIsRetriedForAFewSecondsOnly) {
  FakeMachine machine;
  machine.kernel.answers.assign(100, EBUSY);
  EXPECT_EQ(machine.RunWithKernel({"-p"}), kExitFailed);
  EXPECT_EQ(machine.kernel.loads.size(), 7u);
  EXPECT_EQ(machine.kernel.slept, std::chrono::milliseconds(3000));
  EXPECT_THAT(machine.err, HasSubstr("still holds the kernel's kexec lock"));
}

TEST(Run, SuccessIsVerified) {
  FakeMachine machine;
  machine.kernel.forgets_to_load = true;
  EXPECT_EQ(machine.RunWithKernel({"-p"}), kExitFailed);
  EXPECT_EQ(machine.err, "kexec: the kernel accepted '" + machine.KernelPath() +
                             "', but '/sys/kernel/kexec_crash_loaded' is 0: the crash kernel is "
                             "not loaded, see 'dmesg'\n");
}

TEST(Run, SuccessThatCannotBeVerifiedIsAWarning) {
  FakeMachine machine;
  machine.kernel.forgets_to_load = true;
  machine.Remove("sys/kernel/kexec_crash_loaded");
  EXPECT_EQ(machine.RunWithKernel({"-p"}), kExitDone);
  EXPECT_THAT(machine.err, HasSubstr("cannot read '/sys/kernel/kexec/crash_loaded' to verify"));
}

TEST(Run, FailureSaysThatTheOldCrashKernelIsGone) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
  machine.kernel.answers = {ENOMEM};
  EXPECT_EQ(machine.RunWithKernel({"-p"}), kExitFailed);
  EXPECT_THAT(machine.err, HasSubstr("\nkexec: the crash kernel loaded before is GONE: until a "
                                     "load succeeds a panic leaves no dump\n"));
}

TEST(Run, FailureSaysThatTheOldCrashKernelIsStillThere) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
  machine.kernel.answers = {EPERM};
  machine.kernel.keeps_old_image = true;
  EXPECT_EQ(machine.RunWithKernel({"-p"}), kExitFailed);
  EXPECT_THAT(machine.err,
              HasSubstr("\nkexec: the crash kernel loaded before is still in place\n"));
}

TEST(Run, FailureWithoutAnOldCrashKernel) {
  FakeMachine machine;
  machine.kernel.answers = {EPERM};
  EXPECT_EQ(machine.RunWithKernel({"-p"}), kExitFailed);
  EXPECT_THAT(machine.err, HasSubstr("\nkexec: no crash kernel is loaded: a panic leaves no dump"));
  machine.Remove("sys/kernel/kexec_crash_loaded");
  machine.kernel.answers = {EPERM};
  machine.kernel.keeps_old_image = true;
  machine.RunWithKernel({"-p"});
  EXPECT_THAT(machine.err, HasSubstr("is unknown\n"));
}

TEST(Run, FailureOfANormalLoad) {
  FakeMachine machine;
  machine.kernel.answers = {ENOMEM, ENOMEM};
  EXPECT_EQ(machine.RunWithKernel({"-l"}), kExitFailed);
  EXPECT_THAT(machine.err,
              HasSubstr("as the kernel with kexec_file_load: Cannot allocate memory (ENOMEM): "));
  EXPECT_THAT(machine.err, Not(HasSubstr("panic")));
  machine.Set("sys/kernel/kexec_loaded", "1\n");
  machine.RunWithKernel({"-l"});
  EXPECT_THAT(machine.err, HasSubstr("\nkexec: the kernel loaded before is still in place\n"));
}

TEST(Run, Unload) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
  machine.Set("sys/kernel/kexec_loaded", "1\n");
  EXPECT_EQ(machine.Run({"-u", "-p"}), kExitDone);
  EXPECT_EQ(machine.Get("sys/kernel/kexec_crash_loaded"), "0\n");
  EXPECT_EQ(machine.Get("sys/kernel/kexec_loaded"), "1\n");
  EXPECT_EQ(machine.Run({"-u"}), kExitDone);
  EXPECT_EQ(machine.Get("sys/kernel/kexec_loaded"), "0\n");
  EXPECT_THAT(machine.kernel.unloads, ElementsAre(kFileOnCrash, 0u));
}

TEST(Run, UnloadOfAnEmptySlotIsDoneAndCostsNoCall) {
  FakeMachine machine;
  EXPECT_EQ(machine.Run({"-p", "-u"}), kExitDone);
  EXPECT_THAT(machine.kernel.unloads, IsEmpty());
  EXPECT_EQ(machine.err, "");
}

TEST(Run, UnloadOfAnUnknownSlotAsksTheKernel) {
  FakeMachine machine;
  machine.Remove("sys/kernel/kexec_crash_loaded");
  machine.kernel.forgets_to_load = true;
  EXPECT_EQ(machine.Run({"-p", "-u"}), kExitDone);
  EXPECT_EQ(machine.kernel.unloads.size(), 1u);
}

TEST(Run, UnloadFailures) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
  machine.kernel.answers = {EPERM};
  machine.Set("proc/sys/kernel/kexec_load_disabled", "1\n");
  EXPECT_EQ(machine.Run({"-p", "-u"}), kExitFailed);
  EXPECT_THAT(machine.err,
              HasSubstr("kexec: unloading the crash kernel: Operation not permitted (EPERM): "
                        "'/proc/sys/kernel/kexec_load_disabled' is 1"));
  machine.kernel.answers.assign(7, EBUSY);
  EXPECT_EQ(machine.Run({"-p", "-u"}), kExitFailed);
  EXPECT_THAT(machine.err, HasSubstr("still holds the kernel's kexec lock"));
  machine.kernel.answers = {ENOSYS};
  EXPECT_EQ(machine.Run({"-p", "-u", "-s"}), kExitFailed);
  EXPECT_THAT(machine.err, HasSubstr("CONFIG_KEXEC_FILE"));
  machine.kernel.answers = {EIO};
  EXPECT_EQ(machine.Run({"-p", "-u"}), kExitFailed);
  EXPECT_THAT(machine.err, HasSubstr("'dmesg'"));
}

TEST(Run, UnloadIsVerified) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
  machine.kernel.forgets_to_load = true;
  EXPECT_EQ(machine.Run({"-p", "-u"}), kExitFailed);
  EXPECT_THAT(machine.err, HasSubstr("'/sys/kernel/kexec_crash_loaded' is still 1"));
}

TEST(Run, StatusIsTheContentOfTheFile) {
  FakeMachine machine;
  EXPECT_EQ(machine.Run({"-S"}), 0);
  machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
  EXPECT_EQ(machine.Run({"-S"}), 1);
  EXPECT_EQ(machine.Run({"-S", "-d"}), 1);
  EXPECT_EQ(machine.Run({"-p", "-S"}), 1);
  EXPECT_EQ(machine.Run({"-l", "-S"}), 0);
  EXPECT_EQ(machine.out + machine.err, "");
  machine.Set("sys/kernel/kexec/crash_loaded", "0\n");
  EXPECT_EQ(machine.Run({"--status"}), 0);
}

TEST(Run, StatusWithoutSysfs) {
  FakeMachine machine;
  machine.Remove("sys/kernel/kexec_crash_loaded");
  EXPECT_EQ(machine.Run({"-S"}), 255);
  EXPECT_THAT(machine.err, HasSubstr("cannot read '/sys/kernel/kexec/crash_loaded'"));
}

TEST(Run, ExecSyncsAndStarts) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec_loaded", "1\n");
  machine.Run({"-e"});
  EXPECT_THAT(machine.kernel.did, ElementsAre("sync", "interfaces down", "reboot"));
  machine.kernel.did.clear();
  machine.Run({"-e", "-x", "-y"});
  EXPECT_THAT(machine.kernel.did, ElementsAre("reboot"));
}

TEST(Run, ExecWithNothingLoaded) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
  EXPECT_EQ(machine.Run({"-e"}), kExitRefused);
  EXPECT_EQ(machine.err, "kexec: nothing is loaded: run 'kexec -l' first\n");
  EXPECT_THAT(machine.kernel.did, IsEmpty());
}

// systemd-shutdown calls it when little is mounted.
TEST(Run, ExecWithoutSysfsGoesOn) {
  FakeMachine machine;
  machine.Remove("sys/kernel/kexec_loaded");
  machine.Run({"-e"});
  EXPECT_THAT(machine.kernel.did, ElementsAre("sync", "interfaces down", "reboot"));
}

TEST(Run, ExecFailures) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec_loaded", "1\n");
  machine.Set("proc/self/status", "CapEff:\t0\n");
  const std::pair<int, const char*> kRows[] = {
      {EPERM,
       "kexec: starting the loaded kernel: Operation not permitted (EPERM): this process lacks "
       "CAP_SYS_BOOT"},
      {EINVAL, "run 'kexec -l' first"},
      {EBUSY, "a load is under way"},
      {EIO, "'dmesg'"},
  };
  for (const auto& [error, text] : kRows) {
    machine.kernel.answers = {error};
    EXPECT_EQ(machine.Run({"-e"}), kExitFailed);
    EXPECT_THAT(machine.err, HasSubstr(text));
  }
}

TEST(Run, ForceLoadsAndStarts) {
  FakeMachine machine;
  machine.RunWithKernel({"-f"});
  EXPECT_EQ(machine.kernel.loads.size(), 1u);
  EXPECT_THAT(machine.kernel.did, ElementsAre("sync", "interfaces down", "reboot"));
}

TEST(Run, WithoutActionLoadsAndShutsDown) {
  FakeMachine machine;
  machine.kernel.answers = {0, ENOENT};
  EXPECT_EQ(machine.RunWithKernel({"--append=a"}), kExitFailed);
  EXPECT_THAT(machine.kernel.did, ElementsAre("shutdown"));
  EXPECT_THAT(machine.err, HasSubstr("shutdown(8) cannot be run"));
}

TEST(Run, NothingIsStartedAfterAFailedLoad) {
  FakeMachine machine;
  machine.kernel.answers = {ENOMEM};
  EXPECT_EQ(machine.RunWithKernel({"-f"}), kExitFailed);
  machine.Set("boot/vmlinuz", "text");
  EXPECT_EQ(machine.RunWithKernel({}), kExitRefused);
  EXPECT_THAT(machine.kernel.did, IsEmpty());
}

TEST(Run, DryRunOfEverything) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
  EXPECT_EQ(machine.Run({"--dry-run", "-p", "-u"}), kExitDone);
  EXPECT_EQ(machine.out, "plan: unload the crash kernel\n");
  EXPECT_EQ(machine.Run({"--dry-run", "-e"}), kExitDone);
  EXPECT_EQ(machine.out, "plan: start the loaded kernel now\n");
  EXPECT_EQ(machine.RunWithKernel({"--dry-run", "-f"}), kExitDone);
  EXPECT_THAT(machine.out, HasSubstr("then: start it now\n"));
  EXPECT_EQ(machine.RunWithKernel({"--dry-run"}), kExitDone);
  EXPECT_THAT(machine.out, HasSubstr("then: shutdown -r now, which starts it\n"));
  EXPECT_THAT(machine.kernel.loads, IsEmpty());
  EXPECT_THAT(machine.kernel.unloads, IsEmpty());
  EXPECT_THAT(machine.kernel.did, IsEmpty());
}

TEST(Run, PrintsTheReservation) {
  FakeMachine machine;
  EXPECT_EQ(machine.Run({"--print-ckr-size"}), kExitDone);
  EXPECT_EQ(machine.out, "268435456\n");
  machine.Set("proc/iomem", "");
  machine.Set("sys/kernel/kexec_crash_size", "0\n");
  machine.Run({"--print-ckr-size"});
  EXPECT_EQ(machine.out, "0\n");
}

TEST(Run, HelpAndVersionGoToStandardOutput) {
  FakeMachine machine;
  EXPECT_EQ(machine.Run({"-h"}), kExitDone);
  EXPECT_THAT(machine.out, HasSubstr("usage: kexec -p KERNEL"));
  EXPECT_EQ(machine.Run({"-v"}), kExitDone);
  EXPECT_EQ(machine.out, "kexec (kdumpkit) " KDUMPKIT_VERSION "\n");
  EXPECT_EQ(machine.err, "");
}

TEST(Run, WrongUseGoesToStandardError) {
  FakeMachine machine;
  EXPECT_EQ(machine.Run({"--nonsense"}), kExitRefused);
  EXPECT_EQ(machine.err, "kexec: unknown option '--nonsense'; see 'kexec --help'\n");
  EXPECT_EQ(machine.out, "");
}

TEST(Run, OptionsWithoutEffectWarn) {
  FakeMachine machine;
  EXPECT_EQ(machine.RunWithKernel({"-p", "-s", "--mem-max=0x60000000"}), kExitDone);
  EXPECT_EQ(machine.err,
            "kexec: warning: --mem-min and --mem-max have no effect with kexec_file_load, "
            "ignoring\n");
}

TEST(Run, StatusAsJson) {
  FakeMachine machine;
  machine.Set("sys/kernel/kexec_crash_loaded", "1\n");
  machine.Set("proc/sys/kernel/kexec_load_limit_panic", "3\n");
  machine.Set("sys/devices/system/memory/crash_hotplug", "1\n");
  EXPECT_EQ(machine.Run({"-S", "--json"}), 1);
  auto status = nlohmann::json::parse(machine.out);
  EXPECT_EQ(status["crash"]["loaded"], true);
  EXPECT_EQ(status["crash"]["loads_left"], 3);
  EXPECT_EQ(status["reboot"]["loaded"], false);
  EXPECT_EQ(status["reservation"]["ranges"][0]["start"], 0x5f000000);
  EXPECT_EQ(status["reservation"]["load_size"], 256 << 20);
  EXPECT_EQ(status["lockdown"], "none");
  EXPECT_EQ(status["hotplug"]["memory"], true);
  EXPECT_TRUE(status["hotplug"]["cpu"].is_null());
  EXPECT_TRUE(status["elfcorehdr_size"].is_null());
  EXPECT_EQ(status["crash"]["forbidden_by"].size(), 0u);
}

TEST(Run, PlanAsJson) {
  FakeMachine machine;
  EXPECT_EQ(machine.RunWithKernel({"-p", "--plan", "--json", "--append=quiet"}), kExitDone);
  auto plan = nlohmann::json::parse(machine.out);
  EXPECT_EQ(plan["slot"], "crash");
  EXPECT_EQ(plan["system_call"], "kexec_file_load");
  EXPECT_EQ(plan["may_fall_back"], true);
  EXPECT_EQ(plan["kernel"]["path"], machine.KernelPath());
  EXPECT_EQ(plan["kernel"]["signed"], false);
  EXPECT_TRUE(plan["initrd"].is_null());
  EXPECT_EQ(plan["command_line"], "quiet");
  EXPECT_EQ(plan["refused"], false);
  EXPECT_FALSE(plan.contains("segments"));
  EXPECT_THAT(machine.kernel.loads, IsEmpty());
}

// A refusal is an answer, too; text that is not UTF-8 does not spoil it.
TEST(Run, RefusedPlanAsJson) {
  FakeMachine machine;
  machine.Set("boot/vmlinuz", "text");
  EXPECT_EQ(machine.RunWithKernel({"-p", "--plan", "--json", "--append=\xff"}), kExitRefused);
  auto plan = nlohmann::json::parse(machine.out);
  EXPECT_EQ(plan["refused"], true);
  EXPECT_TRUE(plan["system_call"].is_null());
}

}  // namespace
}  // namespace kdumpkit
