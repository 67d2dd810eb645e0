// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/capture/fake_system.h"
#include "tests/capture/stub_filter.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

class DumpTest : public testing::Test {
 protected:
  DumpResult Save(const std::string& body) {
    filter_.SetBody(body);
    return Make().SaveVmcore(dir_.path());
  }
  Dumper Make() {
    return Dumper(filter_.path(), "/proc/vmcore", config_, system_, log_, watchdog_);
  }
  std::string Vmcore() { return dir_.File("vmcore"); }
  bool Exists(const std::string& name) { return std::filesystem::exists(dir_.File(name)); }

  TempDir dir_;
  StubFilter filter_{dir_};
  FakeSystem system_;
  FakeConsole console_{dir_.File("console")};
  CaptureLog log_{console_.fd(), [] { return milliseconds(0); }};
  Watchdog watchdog_{[](const std::string&) {}};
  CaptureConfig config_;
};

TEST_F(DumpTest, CompleteDump) {
  DumpResult result = Save(kWorkingFilter);
  EXPECT_EQ(result.state, DumpState::kComplete);
  EXPECT_EQ(result.file, "vmcore");
  EXPECT_EQ(result.size, 1000u);
  EXPECT_THAT(filter_.runs(), ElementsAre("-l -d 31 --message-level 23 /proc/vmcore " + Vmcore()));
}
TEST_F(DumpTest, ArgumentsFollowTheConfiguration) {
  config_.level = 1;
  config_.threads = 4;
  config_.compression = Compression::kZstd;
  Save(kWorkingFilter);
  EXPECT_THAT(filter_.runs(), ElementsAre("-z -d 1 --message-level 23 --num-threads 4 "
                                          "/proc/vmcore " +
                                          Vmcore()));
}
TEST_F(DumpTest, NoCompressionHasNoOption) {
  config_.compression = Compression::kNone;
  Save(kWorkingFilter);
  EXPECT_THAT(filter_.runs().front(), HasSubstr("-d 31 --message-level"));
  EXPECT_EQ(filter_.runs().front().find("-d"), 0u);
}
TEST_F(DumpTest, OptionOfEachCompression) {
  for (auto [compression, option] : {std::pair{Compression::kZlib, "-c "},
                                     {Compression::kSnappy, "-p "},
                                     {Compression::kLzo, "-l "}}) {
    config_.compression = compression;
    Save(kWorkingFilter);
    EXPECT_EQ(filter_.runs().back().find(option), 0u);
  }
}
TEST_F(DumpTest, PartialDumpIsKeptAndNotRetried) {
  DumpResult result = Save("echo x >\"$out\"; exit 3");
  EXPECT_EQ(result.state, DumpState::kPartial);
  EXPECT_EQ(result.file, "vmcore");
  EXPECT_EQ(filter_.runs().size(), 1u);
}
TEST_F(DumpTest, PartialDumpThatIsMarkedIncomplete) {
  DumpResult result = Save("echo x >\"$out-incomplete\"; exit 3");
  EXPECT_EQ(result.state, DumpState::kPartial);
  EXPECT_EQ(result.file, "vmcore-incomplete");
}
TEST_F(DumpTest, KilledFilterIsRunAgainWithOneThread) {
  config_.threads = 8;
  DumpResult result = Save(
      "if [ $run = 1 ]; then echo x >\"$out-incomplete\"; kill -KILL $$; fi\n"
      "echo whole >\"$out\"");
  EXPECT_EQ(result.state, DumpState::kComplete);
  ASSERT_EQ(filter_.runs().size(), 2u);
  EXPECT_EQ(filter_.runs()[1],
            "-l -d 31 --message-level 23 --num-threads 1 -f /proc/vmcore " + Vmcore());
  EXPECT_THAT(console_.text(), HasSubstr("killed by signal 9 (Killed); trying once more"));
}
TEST_F(DumpTest, SecondAttemptForcesOnlyWhenSomethingWasLeft) {
  Save("[ $run = 1 ] && exit 1; echo whole >\"$out\"");
  EXPECT_EQ(filter_.runs()[1],
            "-l -d 31 --message-level 23 --num-threads 1 /proc/vmcore " + Vmcore());
}
TEST_F(DumpTest, FailsAfterTheSecondAttempt) {
  DumpResult result = Save("exit 1");
  EXPECT_EQ(result.state, DumpState::kFailed);
  EXPECT_EQ(result.file, "");
  EXPECT_THAT(result.reason, HasSubstr("exit status 1"));
  EXPECT_EQ(filter_.runs().size(), 2u);
}
TEST_F(DumpTest, IncompleteFileOfAFailedDumpIsKept) {
  DumpResult result = Save("echo half >\"$out-incomplete\"; exit 1");
  EXPECT_EQ(result.state, DumpState::kFailed);
  EXPECT_EQ(result.file, "vmcore-incomplete");
}
TEST_F(DumpTest, HalfADumpIsNotLeftUnderTheFinalName) {
  DumpResult result = Save("echo half >\"$out\"; exit 1");
  EXPECT_EQ(result.file, "vmcore-incomplete");
  EXPECT_FALSE(Exists("vmcore"));
}
TEST_F(DumpTest, FullDestinationIsNotTriedTwice) {
  system_.free_bytes = 4096;
  DumpResult result = Save("echo half >\"$out-incomplete\"; exit 1");
  EXPECT_EQ(result.state, DumpState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("exit status 1; the destination is full"));
  EXPECT_EQ(filter_.runs().size(), 1u);
}
TEST_F(DumpTest, SuccessWithoutAFileIsAFailure) {
  DumpResult result = Save("exit 0");
  EXPECT_EQ(result.state, DumpState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("wrote no dump"));
}
TEST_F(DumpTest, SuccessWithAnIncompleteFileIsPartial) {
  EXPECT_EQ(Save("echo x >\"$out-incomplete\"; exit 0").state, DumpState::kPartial);
}
TEST_F(DumpTest, EmptyFileIsNoDump) {
  EXPECT_EQ(Save(": >\"$out\"; exit 0").state, DumpState::kFailed);
}
TEST_F(DumpTest, RefusedCompressionFallsBackToTheDefault) {
  config_.compression = Compression::kSnappy;
  DumpResult result = Save("case \"$*\" in *-p*) exit 2;; esac; echo whole >\"$out\"");
  EXPECT_EQ(result.state, DumpState::kComplete);
  EXPECT_EQ(filter_.runs()[1].find("-l "), 0u);
}
TEST_F(DumpTest, StalledFilterIsRunAgain) {
  config_.stall = std::chrono::seconds(1);
  DumpResult result = Save("[ $run = 1 ] && exec sleep 1000; echo whole >\"$out\"");
  EXPECT_EQ(result.state, DumpState::kComplete);
  EXPECT_THAT(console_.text(), HasSubstr("made no progress and was killed; trying once more"));
}
TEST_F(DumpTest, MissingFilter) {
  Dumper dumper(dir_.File("none"), "/proc/vmcore", config_, system_, log_, watchdog_);
  DumpResult result = dumper.SaveVmcore(dir_.path());
  EXPECT_EQ(result.state, DumpState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("cannot run"));
}

TEST_F(DumpTest, DmesgIsSaved) {
  filter_.SetBody(kWorkingFilter);
  Result<uint64_t> size = Make().SaveDmesg(dir_.File("vmcore-dmesg.txt"));
  ASSERT_TRUE(size);
  EXPECT_EQ(*size, 24u);
  EXPECT_THAT(filter_.runs(),
              ElementsAre("--dump-dmesg /proc/vmcore " + dir_.File("vmcore-dmesg.txt")));
}
TEST_F(DumpTest, DamagedDmesgIsKept) {
  filter_.SetBody("echo x >\"$out\"; exit 3");
  EXPECT_TRUE(Make().SaveDmesg(dir_.File("vmcore-dmesg.txt")));
}
TEST_F(DumpTest, DmesgFailure) {
  filter_.SetBody("exit 1");
  EXPECT_FALSE(Make().SaveDmesg(dir_.File("vmcore-dmesg.txt")));
}
TEST_F(DumpTest, DmesgThatIsNotThere) {
  filter_.SetBody("exit 0");
  EXPECT_FALSE(Make().SaveDmesg(dir_.File("vmcore-dmesg.txt")));
}

}  // namespace
}  // namespace kdumpkit
