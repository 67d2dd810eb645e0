// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(ExitStatus, OfEachOutcome) {
  EXPECT_EQ(ExitStatus(CaptureOutcome::kSaved), 0);
  EXPECT_EQ(ExitStatus(CaptureOutcome::kPartial), 3);
  EXPECT_EQ(ExitStatus(CaptureOutcome::kFailed), 1);
  EXPECT_EQ(ExitStatus(CaptureOutcome::kNoVmcore), 1);
}

}  // namespace
}  // namespace kdumpkit
