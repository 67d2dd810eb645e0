// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>

#include "tests/capture/fake_system.h"
#include "tests/capture/stub_filter.h"

namespace kdumpkit {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr const char kFolder[] = "crash/localhost-2023-11-14-22:13:20";

// A crashed machine with one ext4 disk.
class RunTest : public testing::Test {
 protected:
  RunTest() {
    dir_.Write("proc/vmcore", "memory");
    dir_.Write("proc/sys/kernel/panic", "0");
    SetCommandLine("kdump.dest=UUID=aa-01 kdump.path=/crash");
    dir_.Write("sys/class/block/vda/size", "2048");
    system_.devices[dir_.File("dev/vda")] = {"ext4", "aa-01", ""};
    filter_.SetBody(kWorkingFilter);
    options_ = {true, filter_.path(), console_.fd()};
  }
  void SetCommandLine(const std::string& text) { dir_.Write("proc/cmdline", text + "\n"); }
  CaptureOutcome Run() { return RunCapture(options_, root_, system_); }
  // Of the dump's folder.
  std::string Content(const std::string& name) {
    std::ifstream stream(dir_.File(fmt::format("kdump/{}/{}", kFolder, name)));
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  TempDir dir_;
  StubFilter filter_{dir_};
  RootDir root_ = *RootDir::Open(dir_.path());
  FakeSystem system_;
  FakeConsole console_{dir_.File("console")};
  CaptureOptions options_;
};

TEST_F(RunTest, SavesAndReboots) {
  EXPECT_EQ(Run(), CaptureOutcome::kSaved);
  EXPECT_EQ(Content("vmcore").size(), 1000u);
  EXPECT_EQ(Content("vmcore-dmesg.txt"), "first line\nKernel panic - not syncing: test\n");
  EXPECT_THAT(console_.text(),
              EndsWith(fmt::format("kdump: dump saved: /dev/vda:/{}/vmcore, 1000 bytes\n"
                                   "kdump: rebooting\n",
                                   kFolder)));
}
TEST_F(RunTest, EverythingIsOnTheDeviceBeforeTheEnd) {
  Run();
  std::string mount_point = dir_.File("kdump");
  ASSERT_GE(system_.calls.size(), 3u);
  std::vector<std::string> last(system_.calls.end() - 3, system_.calls.end());
  EXPECT_THAT(last, testing::ElementsAre("sync " + mount_point, "unmount " + mount_point,
                                         "finish rebooting"));
}
TEST_F(RunTest, DmesgComesFirst) {
  Run();
  ASSERT_EQ(filter_.runs().size(), 2u);
  EXPECT_THAT(filter_.runs()[0], HasSubstr("--dump-dmesg"));
}
TEST_F(RunTest, LogIsBesideTheDump) {
  Run();
  EXPECT_THAT(Content("capture.log"),
              AllOf(HasSubstr("] kdump-capture "), HasSubstr("] destination: /dev/vda"),
                    HasSubstr("] log of the dead kernel saved: /dev/vda:/crash/"),
                    HasSubstr("pages kept: 7\n"), HasSubstr("] vmcore written, 1000 bytes\n")));
}
TEST_F(RunTest, FinalActionAsTold) {
  SetCommandLine("kdump.dest=UUID=aa-01 kdump.final=poweroff");
  Run();
  EXPECT_TRUE(system_.Called("finish powering off"));
}
TEST_F(RunTest, TypingMistakesAreReportedAndTheDumpSaved) {
  SetCommandLine("kdump.dest=UUID=aa-01 kdump.level=x kdump.foo");
  EXPECT_EQ(Run(), CaptureOutcome::kSaved);
  EXPECT_TRUE(console_.Shows("'kdump.level=x': bad value, ignoring"));
  EXPECT_TRUE(console_.Shows("'kdump.foo': unknown word, ignoring"));
}
TEST_F(RunTest, InitBringsTheSystemUp) {
  dir_.Write("etc/kdumpkit/modules", "/m/a.ko\n");
  Run();
  EXPECT_EQ(system_.CallsOf("mount proc").size(), 1u);
  EXPECT_EQ(system_.CallsOf("module").size(), 1u);
  EXPECT_EQ(root_.ReadLine("/proc/sys/kernel/panic"), "10");
}
TEST_F(RunTest, OrdinaryProgramMountsOnlyTheDestination) {
  options_.is_init = false;
  EXPECT_EQ(Run(), CaptureOutcome::kSaved);
  EXPECT_EQ(system_.CallsOf("mount ").size(), 1u);
  EXPECT_TRUE(system_.Called("finish rebooting"));
}

TEST_F(RunTest, OrdinaryProgramOnALiveMachineTouchesNothing) {
  options_.is_init = false;
  std::filesystem::remove(dir_.File("proc/vmcore"));
  EXPECT_EQ(Run(), CaptureOutcome::kNoVmcore);
  EXPECT_TRUE(system_.calls.empty());
  EXPECT_TRUE(console_.Shows("there is no '/proc/vmcore'"));
}
TEST_F(RunTest, InitWithoutVmcoreReboots) {
  std::filesystem::remove(dir_.File("proc/vmcore"));
  EXPECT_EQ(Run(), CaptureOutcome::kNoVmcore);
  EXPECT_TRUE(system_.Called("finish rebooting"));
  EXPECT_TRUE(filter_.runs().empty());
}

// Whatever happens to the destination: a reason, the last words, the final action.
class DestinationFault : public RunTest {
 protected:
  void ExpectFailure(const std::string& reason) {
    EXPECT_EQ(Run(), CaptureOutcome::kFailed);
    EXPECT_THAT(console_.text(), HasSubstr("kdump: dump failed: "));
    EXPECT_THAT(console_.text(), HasSubstr(reason));
    EXPECT_THAT(console_.text(),
                HasSubstr("the last lines of the dead kernel's log:\n"
                          "kdump: first line\nkdump: Kernel panic - not syncing: test\n"));
    EXPECT_THAT(console_.text(), EndsWith("kdump: rebooting\n"));
    EXPECT_TRUE(system_.Called("finish rebooting"));
  }
};

TEST_F(DestinationFault, NotNamed) {
  SetCommandLine("quiet");
  ExpectFailure("no destination");
}
TEST_F(DestinationFault, Missing) {
  SetCommandLine("kdump.dest=UUID=bb-02 kdump.timeout=20");
  ExpectFailure("did not appear within 20 s");
  EXPECT_EQ(system_.now, std::chrono::seconds(20));
}
TEST_F(DestinationFault, CannotBeMounted) {
  system_.mount_errors["ext4"] = EIO;
  ExpectFailure("cannot mount");
}
TEST_F(DestinationFault, IsNotMounted) {
  system_.mounts_nothing = true;
  ExpectFailure("is not a mount point");
  EXPECT_FALSE(std::filesystem::exists(dir_.File("kdump/crash")));
}
TEST_F(DestinationFault, CannotHoldAFolder) {
  dir_.Write("kdump/crash", "");
  ExpectFailure("cannot create folder");
}
TEST_F(RunTest, FullDestination) {
  SetCommandLine("kdump.dest=UUID=aa-01 kdump.path=/crash kdump.min_free=0");
  system_.free_bytes = 4096;
  filter_.SetBody(
      "case \"$*\" in *--dump-dmesg*) printf 'Kernel panic\\n'; exit 0;; esac\n"
      "echo half >\"$out\"; exit 3");
  EXPECT_EQ(Run(), CaptureOutcome::kPartial);
  EXPECT_TRUE(console_.Shows("log:\nkdump: Kernel panic\n"));
  EXPECT_THAT(
      console_.text(),
      EndsWith(fmt::format("kdump: dump saved with faults: /dev/vda:/{}/vmcore-incomplete, 5 "
                           "bytes: it ends early; the destination is full, see capture.log\n"
                           "kdump: rebooting\n",
                           kFolder)));
}

TEST_F(RunTest, KilledFilterKeepsTheDmesg) {
  filter_.SetBody(
      "case \"$*\" in *--dump-dmesg*) printf 'first line\\nKernel panic\\n';; "
      "*) kill -KILL $$;; esac");
  EXPECT_EQ(Run(), CaptureOutcome::kFailed);
  EXPECT_EQ(filter_.runs().size(), 3u);
  EXPECT_EQ(Content("vmcore-dmesg.txt"), "first line\nKernel panic\n");
  EXPECT_THAT(Content("capture.log"),
              AllOf(HasSubstr("killed by signal 9 (Killed); trying once more with one thread"),
                    HasSubstr("] no dump: ")));
  EXPECT_THAT(console_.text(), HasSubstr("kdump: Kernel panic\n"));
  EXPECT_THAT(console_.text(),
              EndsWith(fmt::format("killed by signal 9 (Killed); what there is: /dev/vda:/{}/\n"
                                   "kdump: rebooting\n",
                                   kFolder)));
}
TEST_F(RunTest, DmesgThatFailsDoesNotStopTheDump) {
  filter_.SetBody("case \"$*\" in *--dump-dmesg*) exit 1;; esac; echo whole >\"$out\"");
  EXPECT_EQ(Run(), CaptureOutcome::kSaved);
  EXPECT_TRUE(console_.Shows("log of the dead kernel not saved"));
}
TEST_F(RunTest, PartialDump) {
  filter_.SetBody("case \"$*\" in *--dump-dmesg*) echo x; exit 0;; esac; echo x >\"$out\"; exit 3");
  EXPECT_EQ(Run(), CaptureOutcome::kPartial);
  EXPECT_TRUE(console_.Shows("kdump: dump saved with faults: /dev/vda:/crash/"));
}
TEST_F(RunTest, DeviceThatLosesDataIsNoSuccess) {
  system_.sync_error = EIO;
  EXPECT_EQ(Run(), CaptureOutcome::kFailed);
  EXPECT_THAT(console_.text(), HasSubstr("dump failed: cannot write to the device"));
  EXPECT_THAT(console_.text(), Not(HasSubstr("dump saved")));
}
TEST_F(RunTest, HangingDeviceEndsInTheFinalAction) {
  SetCommandLine("kdump.dest=UUID=aa-01 kdump.stall=1");
  system_.sync_hangs = true;
  Run();
  EXPECT_TRUE(system_.Called("finish rebooting"));
  EXPECT_THAT(console_.text(),
              HasSubstr("kdump: dump failed: no progress while unmounting the destination\n"
                        "kdump: rebooting\n"));
}
TEST_F(RunTest, LongLogIsCutToItsEnd) {
  filter_.SetBody("case \"$*\" in *--dump-dmesg*) seq 1 100; exit 0;; esac; exit 1");
  Run();
  EXPECT_THAT(console_.text(), Not(HasSubstr("kdump: 20\n")));
  EXPECT_THAT(console_.text(), HasSubstr("log:\nkdump: 21\nkdump: 22\n"));
  EXPECT_THAT(console_.text(), HasSubstr("kdump: 99\nkdump: 100\nkdump: dump failed"));
}

// Hooks note their environment, and end with the status that their name has.
class HookTest : public RunTest {
 protected:
  void AddHook(const std::string& name, int status) {
    dir_.Write(name,
               fmt::format("#!/bin/sh\necho \"{0} $KDUMP_STATUS $1 $KDUMP_FOLDER/$KDUMP_FILE\" "
                           ">>'{1}'\nexit {2}\n",
                           name, dir_.File("hooks"), status));
    CHECK(chmod(dir_.File(name).c_str(), 0755) == 0);
  }
  std::string Hooks() { return FakeConsole(dir_.File("hooks")).text(); }
  std::string Folder() { return dir_.File(fmt::format("kdump/{}", kFolder)); }
  void Configure(const std::string& text) {
    dir_.Write("etc/kdump.conf", "destination UUID=aa-01:/crash\n" + text);
    SetCommandLine("quiet");
  }
};
TEST_F(HookTest, PreAndPostOfASavedDump) {
  Configure("kdump_pre /pre\nkdump_post /post\n");
  AddHook("pre", 0);
  AddHook("post", 0);
  AddHook("etc/kdump/emergency.d/10-call", 0);
  EXPECT_EQ(Run(), CaptureOutcome::kSaved);
  EXPECT_EQ(Hooks(), fmt::format("pre   /\npost saved 0 {}/vmcore\n", Folder()));
}
TEST_F(HookTest, FailingHooksLoseNothing) {
  Configure("kdump_pre /pre\nkdump_post /post\n");
  AddHook("pre", 1);
  AddHook("post", 1);
  EXPECT_EQ(Run(), CaptureOutcome::kSaved);
  EXPECT_THAT(Content("manifest.json"), AllOf(HasSubstr("hook '/pre' failed: exit status 1"),
                                              HasSubstr("hook '/post' failed: exit status 1")));
}
TEST_F(HookTest, FailingPreSkipsTheDumpWhenToldSo) {
  Configure("kdump_pre /pre\npre_failure skip\nfinal_action halt\nfailure_action poweroff\n");
  AddHook("pre", 1);
  EXPECT_EQ(Run(), CaptureOutcome::kSkipped);
  EXPECT_TRUE(filter_.runs().empty());
  EXPECT_TRUE(system_.Called("finish halting"));
}
TEST_F(HookTest, ProgramInPreFolderDoesNotSkip) {
  Configure("kdump_pre /pre\npre_failure skip\n");
  AddHook("pre", 0);
  AddHook("etc/kdump/pre.d/10", 1);
  EXPECT_EQ(Run(), CaptureOutcome::kSaved);
}
TEST_F(HookTest, PostAndEmergencyOfAFailedDump) {
  Configure("kdump_post /post\nkdump_emergency /emergency\n");
  AddHook("post", 0);
  AddHook("emergency", 0);
  system_.mount_errors["ext4"] = EIO;
  EXPECT_EQ(Run(), CaptureOutcome::kFailed);
  EXPECT_EQ(Hooks(), "post failed 1 /\nemergency failed  /\n");
}
TEST_F(HookTest, ClusterIsTold) {
  Configure("fence_kdump_nodes n1 n2\nfence_kdump_args -p 7410\n");
  dir_.Write("usr/sbin/fence_kdump_send",
             fmt::format("#!/bin/sh\necho \"$*\" >'{}'\nexec sleep 1000\n", dir_.File("told")));
  CHECK(chmod(dir_.File("usr/sbin/fence_kdump_send").c_str(), 0755) == 0);
  filter_.SetBody(fmt::format("while [ ! -s '{}' ]; do sleep 0.1; done\n{}", dir_.File("told"),
                              kWorkingFilter));
  EXPECT_EQ(Run(), CaptureOutcome::kSaved);
  EXPECT_EQ(FakeConsole(dir_.File("told")).text(), "-p 7410 n1 n2\n");
}

TEST_F(RunTest, FileAndWords) {
  dir_.Write("etc/kdump.conf", "destination UUID=none\nlevel 3\nnonsense\n");
  EXPECT_EQ(Run(), CaptureOutcome::kSaved);
  EXPECT_THAT(filter_.runs()[1], HasSubstr("-d 3 "));
  EXPECT_TRUE(console_.Shows("/etc/kdump.conf:3: error: "));
}
TEST_F(DestinationFault, FailureAction) {
  SetCommandLine("kdump.dest=UUID=bb-02 kdump.timeout=0 kdump.failure_action=poweroff");
  Run();
  EXPECT_TRUE(system_.Called("finish powering off"));
}
TEST_F(DestinationFault, ShellThenFinalAction) {
  SetCommandLine(
      "kdump.dest=UUID=bb-02 kdump.timeout=0 kdump.failure_action=shell kdump.final=halt");
  dir_.Write("bin/sh", fmt::format("#!/bin/sh\necho here >'{}'\n", dir_.File("shell")));
  CHECK(chmod(dir_.File("bin/sh").c_str(), 0755) == 0);
  Run();
  EXPECT_EQ(FakeConsole(dir_.File("shell")).text(), "here\n");
  EXPECT_TRUE(system_.Called("finish halting"));
}
TEST_F(DestinationFault, ShellThatIsNotThere) {
  SetCommandLine("kdump.dest=UUID=bb-02 kdump.timeout=0 kdump.failure_action=shell");
  Run();
  EXPECT_TRUE(console_.Shows("there is no shell in the capture image"));
  EXPECT_TRUE(system_.Called("finish rebooting"));
}
TEST_F(RunTest, FinalShellThenReboot) {
  SetCommandLine("kdump.dest=UUID=aa-01 kdump.final=shell");
  EXPECT_EQ(Run(), CaptureOutcome::kSaved);
  EXPECT_TRUE(system_.Called("finish rebooting"));
}
TEST_F(RunTest, DumpToRootfs) {
  SetCommandLine(
      "root=UUID=aa-01 rootfstype=ext4 kdump.dest=UUID=bb-02 kdump.timeout=0 kdump.path=/crash "
      "kdump.failure_action=dump_to_rootfs");
  EXPECT_EQ(Run(), CaptureOutcome::kSaved);
  EXPECT_EQ(Content("vmcore").size(), 1000u);
  EXPECT_THAT(Content("manifest.json"), HasSubstr("did not appear"));
}
TEST_F(DestinationFault, DumpToRootfsWithoutRoot) {
  SetCommandLine(
      "root=nfs kdump.dest=UUID=bb-02 kdump.timeout=0 kdump.failure_action=dump_to_rootfs");
  ExpectFailure("no 'root=' with a device");
}
TEST_F(RunTest, LogOnlyIsASuccess) {
  SetCommandLine("kdump.dest=UUID=aa-01 kdump.path=/crash kdump.dmesg_only=yes");
  EXPECT_EQ(Run(), CaptureOutcome::kDmesgOnly);
  EXPECT_TRUE(console_.Shows("log of the dead kernel saved, no dump: /dev/vda:/crash/"));
}

TEST(ExitStatus, OfEachOutcome) {
  EXPECT_EQ(ExitStatus(CaptureOutcome::kDmesgOnly), 0);
  EXPECT_EQ(ExitStatus(CaptureOutcome::kSkipped), 1);
  EXPECT_EQ(ExitStatus(CaptureOutcome::kSaved), 0);
  EXPECT_EQ(ExitStatus(CaptureOutcome::kPartial), 3);
  EXPECT_EQ(ExitStatus(CaptureOutcome::kFailed), 1);
  EXPECT_EQ(ExitStatus(CaptureOutcome::kNoVmcore), 1);
}

}  // namespace
}  // namespace kdumpkit
