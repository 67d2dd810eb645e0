// SPDX-License-Identifier: GPL-2.0-or-later
// Each check before the call: what it says, and that the loaded crash kernel is not touched.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "kexec/load_plan.h"
#include "tests/kexec/fake_machine.h"
#include "tests/kexec/image_builder.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;
using testing::Not;

class LoadChecks : public testing::Test {
 protected:
  // Tries a load over a loaded crash kernel; it must be refused, and the old one stay.
  std::string Refused(std::vector<std::string> args = {"-p", "--append=quiet"}) {
    machine_.Set("sys/kernel/kexec_crash_loaded", "1\n");
    EXPECT_EQ(machine_.RunWithKernel(std::move(args)), kExitRefused);
    EXPECT_TRUE(machine_.kernel.loads.empty());
    EXPECT_EQ(machine_.Get("sys/kernel/kexec_crash_loaded"), "1\n");
    return machine_.err;
  }

  // Tries a load that must be done, with a warning.
  std::string Warned(std::vector<std::string> args = {"-p"}) {
    EXPECT_EQ(machine_.RunWithKernel(std::move(args)), kExitDone);
    EXPECT_EQ(machine_.kernel.loads.size(), 1u);
    return machine_.err;
  }

  FakeMachine machine_;
};

TEST_F(LoadChecks, ARefusalSaysThatNothingWasChanged) {
  machine_.Set("boot/vmlinuz", "text\n");
  EXPECT_EQ(Refused(), "kexec: '" + machine_.KernelPath() +
                           "' is a text file: a 64-bit x86 bzImage is wanted (/boot/vmlinuz-...)\n"
                           "kexec: nothing was changed, the crash kernel loaded before is still "
                           "in place\n");
}

TEST_F(LoadChecks, EveryRefusalIsPrinted) {
  machine_.Set("boot/vmlinuz", "");
  machine_.Set("boot/initrd", "");
  machine_.Set("proc/sys/kernel/kexec_load_disabled", "1\n");
  std::string text = Refused({"-p", "--initrd=" + machine_.InitrdPath()});
  EXPECT_THAT(text, HasSubstr("is an empty file: a copy"));
  EXPECT_THAT(text, HasSubstr("the initramfs '" + machine_.InitrdPath() + "' is an empty file"));
  EXPECT_THAT(text, HasSubstr("kexec_load_disabled' is 1"));
}

TEST_F(LoadChecks, NoReservationAndNoneAskedFor) {
  machine_.Set("proc/iomem", "00100000-7ffdffff : System RAM\n");
  machine_.Set("sys/kernel/kexec_crash_size", "0\n");
  machine_.Set("proc/cmdline", "root=/dev/vda1 notcrashkernel=1\n");
  EXPECT_THAT(Refused(), HasSubstr("no memory is reserved for a crash kernel: add crashkernel=256M "
                                   "to the command line of the running kernel"));
}

TEST_F(LoadChecks, ReservationAskedForButNotMade) {
  machine_.Set("proc/iomem", "00100000-7ffdffff : System RAM\n");
  machine_.Set("sys/kernel/kexec_crash_size", "0\n");
  std::string text = Refused();
  EXPECT_THAT(text, HasSubstr("although the running kernel was started with crashkernel=: see why "
                              "in 'dmesg | grep -i crashkernel'"));
  EXPECT_THAT(text, HasSubstr("given back through '/sys/kernel/kexec_crash_size'"));
}

TEST_F(LoadChecks, HiddenReservationIsAWarning) {
  machine_.Set("proc/iomem", "00000000-00000000 : Crash kernel\n");
  EXPECT_THAT(Warned(), HasSubstr("'/proc/iomem' shows its addresses as zeros without "
                                  "CAP_SYS_ADMIN"));
}

TEST_F(LoadChecks, UnknownReservationIsAWarning) {
  machine_.Remove("proc/iomem");
  machine_.Remove("sys/kernel/kexec_crash_size");
  EXPECT_THAT(Warned(), HasSubstr("cannot tell whether memory is reserved"));
}

TEST_F(LoadChecks, ReservationIsNotNeededForANormalKernel) {
  machine_.Set("proc/iomem", "00100000-7ffdffff : System RAM\n");
  machine_.Set("sys/kernel/kexec_crash_size", "0\n");
  EXPECT_EQ(machine_.RunWithKernel({"-l"}), kExitDone);
  EXPECT_EQ(machine_.err, "");
}

TEST_F(LoadChecks, TooSmallReservationNamesTheSum) {
  machine_.Set("proc/iomem", "5f000000-60ffffff : Crash kernel\n");  // 32 MiB
  machine_.Set("sys/kernel/crash_elfcorehdr_size", "573504\n");
  EXPECT_THAT(
      Refused({"-p", "--initrd=" + machine_.InitrdPath()}),
      HasSubstr("the reservation is too small: 48.7 MiB are needed to load (kernel 48 MiB, "
                "initrd 100 KiB, elfcorehdr 564 KiB, other 32 KiB), the kernel's address is "
                "a multiple of 2 MiB, and 32 MiB are reserved: boot with a larger "
                "crashkernel="));
}

TEST_F(LoadChecks, HiddenAddressesLeaveTheSizeToCheck) {
  machine_.Set("proc/iomem", "00000000-00000000 : Crash kernel\n");
  machine_.Set("sys/kernel/kexec_crash_size", "33554432\n");
  EXPECT_THAT(Refused(), HasSubstr("32 MiB are reserved"));
}

TEST_F(LoadChecks, TheUpperRangeDecidesAboutTheSize) {
  machine_.Set("proc/iomem",
               "10000000-1fffffff : Crash kernel\n"    // 256 MiB, low
               "100000000-101ffffff : Crash kernel\n"  // 32 MiB, high
  );
  machine_.Set("sys/kernel/kexec_crash_size", "301989888\n");
  EXPECT_THAT(Refused(), HasSubstr("32 MiB are reserved"));
}

TEST_F(LoadChecks, TightReservationIsAWarning) {
  machine_.Set("proc/iomem", "5f000000-6220ffff : Crash kernel\n");  // 50 MiB and 64 KiB
  EXPECT_THAT(Warned(), HasSubstr("the image may not fit into the reservation"));
}

TEST_F(LoadChecks, LittleRoomToRunIsAWarning) {
  machine_.Set("proc/iomem", "5f000000-62ffffff : Crash kernel\n");  // 64 MiB
  EXPECT_THAT(Warned(), HasSubstr("of the reservation are left for the crash kernel to run in; "
                                  "about 32 MiB are usual"));
}

TEST_F(LoadChecks, MoreThanHalfOfMemory) {
  machine_.Set("proc/meminfo", "MemTotal: 90000 kB\n");
  EXPECT_THAT(Refused(), HasSubstr("the kernel loads no more than half of its 87.9 MiB"));
}

TEST_F(LoadChecks, CommandLineOfExactlyTheLimit) {
  EXPECT_EQ(machine_.RunWithKernel({"-p", "--append=" + std::string(2016, 'x')}), kExitDone);
  EXPECT_EQ(machine_.kernel.loads[0].command_line.size(), 2016u);
}

TEST_F(LoadChecks, CommandLineTooLong) {
  EXPECT_THAT(Refused({"-p", "--append=" + std::string(2020, 'x')}),
              HasSubstr("the command line has 2020 characters, '" + machine_.KernelPath() +
                        "' takes 2016 (its own limit less what the running kernel adds): shorten "
                        "it by 4"));
}

TEST_F(LoadChecks, LimitComesFromTheBootHeader) {
  BzImageFields fields;
  fields.command_line_size = 255;
  machine_.Set("boot/vmlinuz", MakeBzImage(fields));
  EXPECT_THAT(Refused({"-p", "--append=" + std::string(225, 'x')}), HasSubstr("shorten it by 1"));
  fields.command_line_size = 3;
  machine_.Set("boot/vmlinuz", MakeBzImage(fields));
  EXPECT_THAT(Refused({"-p", "--append=x"}), HasSubstr("takes 0"));
}

TEST_F(LoadChecks, DiskKeysTakeRoomInTheCommandLineOfACrashKernel) {
  machine_.Set("sys/kernel/config/crash_dm_crypt_keys/count", "1\n");
  EXPECT_THAT(Refused({"-p", "--append=" + std::string(2016, 'x')}), HasSubstr("takes 1985"));
  EXPECT_EQ(machine_.RunWithKernel({"-l", "--append=" + std::string(2016, 'x')}), kExitDone);
}

TEST_F(LoadChecks, LoadingDisabled) {
  machine_.Set("proc/sys/kernel/kexec_load_disabled", "1\n");
  EXPECT_THAT(Refused(), HasSubstr("'/proc/sys/kernel/kexec_load_disabled' is 1: no kernel can be "
                                   "loaded or unloaded until the next boot"));
}

TEST_F(LoadChecks, LoadLimitOfTheSlotReached) {
  machine_.Set("proc/sys/kernel/kexec_load_limit_panic", "0\n");
  EXPECT_THAT(Refused(), HasSubstr("'/proc/sys/kernel/kexec_load_limit_panic' is 0"));
  EXPECT_EQ(machine_.RunWithKernel({"-l"}), kExitDone);
  machine_.Set("proc/sys/kernel/kexec_load_limit_reboot", "0\n");
  EXPECT_EQ(machine_.RunWithKernel({"-l"}), kExitRefused);
  EXPECT_THAT(machine_.err, HasSubstr("'/proc/sys/kernel/kexec_load_limit_reboot' is 0"));
}

TEST_F(LoadChecks, LastAllowedLoadIsAWarningAndRisksNoFlag) {
  machine_.Set("proc/sys/kernel/kexec_load_limit_panic", "1\n");
  EXPECT_THAT(Warned({"-p", "-d"}), HasSubstr("this is the last load that "
                                              "'/proc/sys/kernel/kexec_load_limit_panic' allows"));
  EXPECT_EQ(machine_.kernel.loads[0].flags, kFileOnCrash | kFileNoInitramfs);
}

TEST_F(LoadChecks, MissingCapability) {
  machine_.Set("proc/self/status", "CapEff:\t0000000000000000\n");
  EXPECT_THAT(Refused(), HasSubstr("this process lacks CAP_SYS_BOOT"));
}

TEST_F(LoadChecks, UnsignedKernelUnderLockdownIsAWarning) {
  machine_.Set("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  EXPECT_THAT(Warned(), HasSubstr("has no EFI signature and kernel lockdown is 'integrity'"));
}

TEST_F(LoadChecks, SignedKernelUnderLockdownIsGood) {
  machine_.Set("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  BzImageFields fields;
  fields.is_signed = true;
  machine_.Set("boot/vmlinuz", MakeBzImage(fields));
  EXPECT_EQ(Warned(), "");
}

TEST_F(LoadChecks, EmptyInitramfs) {
  machine_.Set("boot/initrd", "");
  EXPECT_THAT(Refused({"-p", "--initrd", machine_.InitrdPath()}),
              HasSubstr("is an empty file: make it again, or leave --initrd out"));
}

TEST_F(LoadChecks, TruncatedKernel) {
  std::string image = MakeBzImage();
  machine_.Set("boot/vmlinuz", image.substr(0, image.size() - 100));
  EXPECT_THAT(Refused(), HasSubstr("is incomplete: 2972 bytes of the 3072"));
}

TEST_F(LoadChecks, OtherMachine) {
  machine_.machine = "riscv64";
  EXPECT_THAT(Refused(), HasSubstr("on x86_64 and aarch64 only, this machine is riscv64"));
}

// Files that cannot even be opened: one sentence, and nothing else happens.
TEST_F(LoadChecks, MissingFiles) {
  EXPECT_EQ(machine_.Run({"-p", machine_.Path("no")}), kExitFailed);
  EXPECT_EQ(machine_.err, "kexec: kernel: cannot open '" + machine_.Path("no") +
                              "': No such file or directory\n");
  EXPECT_EQ(machine_.RunWithKernel({"-p", "--initrd=" + machine_.Path("no")}), kExitFailed);
  EXPECT_THAT(machine_.err, HasSubstr("kexec: initrd: cannot open"));
  EXPECT_TRUE(machine_.kernel.loads.empty());
}

TEST_F(LoadChecks, FilesThatAreNotRegular) {
  EXPECT_EQ(machine_.Run({"-p", machine_.Path("boot")}), kExitRefused);
  EXPECT_THAT(machine_.err, HasSubstr("boot' is a directory"));
  ASSERT_EQ(mkfifo(machine_.Path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(machine_.Run({"-p", machine_.Path("pipe")}), kExitRefused);
  EXPECT_THAT(machine_.err, HasSubstr("is not a regular file"));
}

TEST_F(LoadChecks, FilesThatAreBeingWritten) {
  UniqueFd kernel = OpenFile(machine_.KernelPath(), O_RDONLY).value();
  if (fcntl(kernel.get(), F_SETLEASE, F_RDLCK) != 0) GTEST_SKIP() << "no leases here";
  fcntl(kernel.get(), F_SETLEASE, F_UNLCK);
  UniqueFd writer = OpenFile(machine_.KernelPath(), O_WRONLY).value();
  EXPECT_THAT(Refused(), HasSubstr("'" + machine_.KernelPath() + "' is open for writing"));
  writer = OpenFile(machine_.InitrdPath(), O_WRONLY).value();
  EXPECT_THAT(Refused({"-p", "--initrd=" + machine_.InitrdPath()}),
              HasSubstr("'" + machine_.InitrdPath() + "' is open for writing"));
  writer.reset();
  EXPECT_EQ(machine_.RunWithKernel({"-p"}), kExitDone);
}

TEST_F(LoadChecks, ReuseNeedsProcCmdline) {
  machine_.Remove("proc/cmdline");
  EXPECT_EQ(machine_.RunWithKernel({"-p", "--reuse-cmdline"}), kExitFailed);
  EXPECT_THAT(machine_.err, HasSubstr("kexec: --reuse-cmdline: cannot open"));
}

TEST_F(LoadChecks, Arm64ImageOnItsMachine) {
  machine_.machine = "aarch64";
  machine_.Set("boot/vmlinuz", MakeArm64Image());
  EXPECT_EQ(machine_.RunWithKernel({"-p", "--append=quiet"}), kExitDone);
  ASSERT_EQ(machine_.kernel.loads.size(), 1u);
  EXPECT_EQ(machine_.kernel.loads[0].command_line, "quiet");
}

TEST_F(LoadChecks, DryRunPrintsThePlanAndDoesNothing) {
  machine_.Set("sys/kernel/crash_elfcorehdr_size", "573504\n");
  EXPECT_EQ(machine_.RunWithKernel({"-p", "--dry-run", "-d", "--reuse-cmdline", "--append=irqpoll",
                                    "--initrd=" + machine_.InitrdPath()}),
            kExitDone);
  EXPECT_TRUE(machine_.kernel.loads.empty());
  EXPECT_EQ(machine_.err, "");
  EXPECT_EQ(
      machine_.out,
      "plan:         load a crash kernel\n"
      "system call:  kexec_file_load, else kexec_load\n"
      "loaded now:   nothing\n"
      "kernel:       '" +
          machine_.KernelPath() +
          "', 3072 bytes\n"
          "image:        a Linux bzImage, boot protocol 2.15, not signed\n"
          "version:      6.1.0-50-amd64 (maker@host) #1 SMP\n"
          "initrd:       '" +
          machine_.InitrdPath() +
          "', 100000 bytes\n"
          "command line: 31 characters of at most 2016; the kernel puts elfcorehdr= before it\n"
          "              root=/dev/vda1 ro quiet irqpoll\n"
          "flags:        0xa (ON_CRASH, DEBUG)\n"
          "reservation:  256 MiB at 0x5f000000-0x6effffff\n"
          "memory:       48.7 MiB to load: kernel 48 MiB, initrd 100 KiB, elfcorehdr 564 KiB, "
          "other 32 KiB; the kernel chooses the places\n"
          "check:        ok       loading is permitted\n"
          "check:        ok       memory is reserved for a crash kernel\n"
          "check:        ok       '" +
          machine_.KernelPath() +
          "' is a Linux bzImage, boot protocol 2.15, complete\n"
          "check:        ok       the command line is not too long (31 of 2016 characters)\n"
          "check:        ok       the image fits into the reservation, 207.3 MiB are left to run "
          "in\n"
          "result:       would be loaded\n");
}

TEST_F(LoadChecks, DryRunOfARefusedLoad) {
  machine_.Set("boot/vmlinuz", "text");
  machine_.Set("sys/kernel/kexec_crash_loaded", "1\n");
  EXPECT_EQ(machine_.RunWithKernel({"-p", "--dry-run"}), kExitRefused);
  EXPECT_THAT(machine_.out, HasSubstr("loaded now:   yes, it would be replaced\n"));
  EXPECT_THAT(machine_.out,
              HasSubstr("check:        refused  '" + machine_.KernelPath() + "' is a text file"));
  EXPECT_THAT(machine_.out, HasSubstr("result:       refused, nothing would be loaded\n"));
}

TEST_F(LoadChecks, DryRunDescribesEveryKindOfReservation) {
  machine_.Set("proc/iomem",
               "10000000-1fffffff : Crash kernel\n100000000-11fffffff : Crash kernel\n");
  machine_.Set("sys/kernel/kexec/crash_cma_ranges", "40000000-4fffffff\n");
  machine_.RunWithKernel({"-p", "--dry-run"});
  EXPECT_THAT(machine_.out,
              HasSubstr("reservation:  256 MiB at 0x10000000-0x1fffffff, 512 MiB at "
                        "0x100000000-0x11fffffff (the last one is loaded to); CMA 256 MiB at "
                        "0x40000000-0x4fffffff\n"));
  machine_.Set("proc/iomem", "00000000-00000000 : Crash kernel\n");
  machine_.Remove("sys/kernel/kexec/crash_cma_ranges");
  machine_.RunWithKernel({"-p", "--dry-run"});
  EXPECT_THAT(machine_.out, HasSubstr("reservation:  256 MiB, address unknown\n"));
  machine_.Remove("sys/kernel/kexec_crash_size");
  machine_.RunWithKernel({"-p", "--dry-run"});
  EXPECT_THAT(machine_.out, HasSubstr("reservation:  unknown\n"));
  machine_.Remove("proc/iomem");
  machine_.Set("sys/kernel/kexec_crash_size", "0\n");
  machine_.RunWithKernel({"-p", "--dry-run"});
  EXPECT_THAT(machine_.out, HasSubstr("reservation:  none\n"));
}

TEST_F(LoadChecks, DryRunOfANormalLoadHasNoReservation) {
  EXPECT_EQ(machine_.RunWithKernel({"-l", "--dry-run"}), kExitDone);
  EXPECT_THAT(machine_.out, Not(HasSubstr("reservation:")));
  EXPECT_THAT(machine_.out, HasSubstr("flags:        0x4 (NO_INITRAMFS)\n"));
  EXPECT_THAT(machine_.out, HasSubstr("command line: 0 characters of at most 2016\n"));
}

}  // namespace
}  // namespace kdumpkit
