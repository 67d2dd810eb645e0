// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dump.h"

#include <gmock/gmock.h>

#include "capture/mounted_target.h"
#include "tests/capture/capture_fixture.h"
#include "tests/capture/fake_target.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class DumpTest : public CaptureFixture {
 protected:
  DumpTest() {
    system_.devices[dir_.File("dev/vda")] = {"ext4", "aa-01", ""};
    Destination destination{.kind = Destination::Kind::kDevice, .source = "/dev/vda", .path = "/"};
    target_ = std::move(*MountedTarget::Open(destination, context_));
    CHECK(target_->MakeFolder("d").has_value());
  }
  DumpResult Save(const std::string& body, const DumpChoice& choice = {}) {
    filter_.SetBody(body);
    return Dumper(context_).SaveVmcore(*target_, choice);
  }
  DumpResult Stream(const std::string& body) {
    filter_.SetBody(body);
    return Dumper(context_).SaveVmcore(fake_, {});
  }
  std::string Vmcore() { return dir_.File("kdump/d/vmcore"); }
  bool Has(const std::string& name) { return Exists("kdump/d/" + name); }
  // The arguments behind the options of the compression and the level.
  std::string Tail(const std::string& extra = "") {
    return fmt::format("{}--json={} --message-level 7 {}{} {}-incomplete", extra,
                       dir_.File("run/kdump-filter.json"), "", dir_.File("proc/vmcore"), Vmcore());
  }

  std::unique_ptr<Target> target_;
  FakeTarget fake_;
};

TEST_F(DumpTest, CompleteDump) {
  DumpResult result = Save(kWorkingFilter);
  EXPECT_EQ(result.state, DumpState::kComplete);
  EXPECT_EQ(result.file.name, "vmcore");
  EXPECT_EQ(result.file.digest.size, 1000u);
  // Of 1000 zeros, by sha256sum.
  EXPECT_EQ(result.file.digest.sha256,
            "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53");
  EXPECT_EQ(result.file.verified, Verified::kSample);
  EXPECT_THAT(filter_.runs(), ElementsAre("-l -d 31 " + Tail()));
  EXPECT_FALSE(Has("vmcore-incomplete"));
}
TEST_F(DumpTest, ArgumentsFollowTheConfiguration) {
  config_.threads = 4;
  Save(kWorkingFilter, {1, DumpCompression::kZstd});
  EXPECT_THAT(filter_.runs(), ElementsAre("-z -d 1 " + Tail("--num-threads 4 ")));
}
TEST_F(DumpTest, OptionOfEachCompression) {
  for (auto [compression, option] : {std::pair{DumpCompression::kZlib, "-c -d"},
                                     {DumpCompression::kSnappy, "-p -d"},
                                     {DumpCompression::kNone, "-d"},
                                     {DumpCompression::kLzo, "-l -d"}}) {
    Save(kWorkingFilter, {31, compression});
    EXPECT_EQ(filter_.runs().back().find(option), 0u) << option;
    std::filesystem::remove(Vmcore());
  }
}
TEST_F(DumpTest, PartialDumpIsKeptAndNotRetried) {
  DumpResult result = Save("echo x >\"$out\"; exit 3");
  EXPECT_EQ(result.state, DumpState::kPartial);
  EXPECT_EQ(result.file.name, "vmcore");
  EXPECT_FALSE(result.blames_destination);
  EXPECT_EQ(filter_.runs().size(), 1u);
}
TEST_F(DumpTest, DumpThatEndsEarlyKeepsItsName) {
  DumpResult result =
      Save("echo x >\"$out\"; echo '{\"kept_pages\": 9, \"written_pages\": 8}' >\"$json\"; exit 3");
  EXPECT_EQ(result.state, DumpState::kPartial);
  EXPECT_EQ(result.file.name, "vmcore-incomplete");
  EXPECT_EQ(result.reason, "it ends early");
  EXPECT_TRUE(result.blames_destination);
}
TEST_F(DumpTest, UnreadablePagesAreNoEarlyEnd) {
  DumpResult result = Save(
      "echo x >\"$out\"\n"
      "echo '{\"kept_pages\": 9, \"written_pages\": 8, \"unreadable_pages\": 1}' >\"$json\"; exit "
      "3");
  EXPECT_EQ(result.file.name, "vmcore");
  EXPECT_FALSE(result.blames_destination);
}
TEST_F(DumpTest, KilledFilterIsRunAgainWithOneThread) {
  config_.threads = 8;
  DumpResult result = Save(
      "if [ $run = 1 ]; then echo x >\"$out\"; kill -KILL $$; fi\n"
      "[ -s \"$out-1\" ] && echo whole >\"$out\"");
  EXPECT_EQ(result.state, DumpState::kComplete);
  ASSERT_EQ(filter_.runs().size(), 2u);
  EXPECT_EQ(filter_.runs()[1], "-l -d 31 " + Tail("--num-threads 1 "));
  EXPECT_THAT(console_.text(), HasSubstr("killed by signal 9 (Killed); trying once more"));
  EXPECT_FALSE(Has("vmcore-incomplete-1"));
}
TEST_F(DumpTest, SecondFailureKeepsWhatTheFirstTryLeft) {
  Save("[ $run = 1 ] && echo first >\"$out\"; exit 1");
  EXPECT_EQ(Content("kdump/d/vmcore-incomplete-1"), "first\n");
}
TEST_F(DumpTest, DamagedDumpIsNoSuccess) {
  filter_.SetVerifyStatus(1);
  DumpResult result = Save(kWorkingFilter);
  EXPECT_EQ(result.state, DumpState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("damaged"));
  EXPECT_TRUE(result.blames_destination);
  EXPECT_FALSE(Has("vmcore"));
  EXPECT_TRUE(Has("vmcore-incomplete"));
}
TEST_F(DumpTest, DumpThatCannotBeVerifiedIsKeptAndSaid) {
  filter_.SetVerifyStatus(2);
  DumpResult result = Save(kWorkingFilter);
  EXPECT_EQ(result.state, DumpState::kComplete);
  EXPECT_EQ(result.file.verified, Verified::kNo);
  EXPECT_THAT(result.warnings, ElementsAre("the dump was not verified: exit status 2"));
}
TEST_F(DumpTest, AnotherCollectorIsRunAsItStands) {
  config_.collector = {filter_.path(), "--odd"};
  EXPECT_EQ(Save(kWorkingFilter).state, DumpState::kComplete);
  EXPECT_THAT(filter_.runs(), ElementsAre(fmt::format("--odd {} {}-incomplete",
                                                      dir_.File("proc/vmcore"), Vmcore())));
}
TEST_F(DumpTest, FailsAfterTheSecondAttempt) {
  DumpResult result = Save("exit 1");
  EXPECT_EQ(result.state, DumpState::kFailed);
  EXPECT_EQ(result.file.name, "");
  EXPECT_THAT(result.reason, HasSubstr("exit status 1"));
  EXPECT_EQ(filter_.runs().size(), 2u);
}
TEST_F(DumpTest, IncompleteFileOfAFailedDumpIsKept) {
  DumpResult result = Save("echo half >\"$out\"; exit 1");
  EXPECT_EQ(result.state, DumpState::kFailed);
  EXPECT_EQ(result.file.name, "vmcore-incomplete");
}
TEST_F(DumpTest, HalfADumpIsNotLeftUnderTheFinalName) {
  DumpResult result = Save("echo half >\"$out\"; exit 1");
  EXPECT_EQ(result.file.name, "vmcore-incomplete");
  EXPECT_FALSE(Has("vmcore"));
}
TEST_F(DumpTest, FullDestinationIsNotTriedTwice) {
  system_.free_bytes = 4096;
  DumpResult result = Save("echo half >\"$out\"; exit 1");
  EXPECT_EQ(result.state, DumpState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("exit status 1; the destination is full"));
  EXPECT_EQ(filter_.runs().size(), 1u);
}
TEST_F(DumpTest, SuccessWithoutAFileIsAFailure) {
  DumpResult result = Save("exit 0");
  EXPECT_EQ(result.state, DumpState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("wrote no dump"));
}
TEST_F(DumpTest, EmptyFileIsNoDump) {
  EXPECT_EQ(Save(": >\"$out\"; exit 0").state, DumpState::kFailed);
}
TEST_F(DumpTest, RefusedOptionsFallBackToTheDefault) {
  DumpResult result = Save("case \" $* \" in *\" -p \"*) exit 2;; esac; echo whole >\"$out\"",
                           {31, DumpCompression::kSnappy});
  EXPECT_EQ(result.state, DumpState::kComplete);
  EXPECT_EQ(filter_.runs()[1].find("-l "), 0u);
  EXPECT_THAT(filter_.runs()[1], Not(HasSubstr("--json")));
}
TEST_F(DumpTest, StalledFilterIsRunAgain) {
  config_.stall_timeout = std::chrono::seconds(1);
  DumpResult result = Save("[ $run = 1 ] && exec sleep 1000; echo whole >\"$out\"");
  EXPECT_EQ(result.state, DumpState::kComplete);
  EXPECT_THAT(console_.text(), HasSubstr("made no progress and was killed; trying once more"));
}
TEST_F(DumpTest, MissingFilter) {
  filter_path_ = dir_.File("none");
  DumpResult result = Dumper(context_).SaveVmcore(*target_, {});
  EXPECT_EQ(result.state, DumpState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("cannot run"));
}
TEST_F(DumpTest, MeasureReadsTheReport) {
  filter_.SetBody(kWorkingFilter);
  EXPECT_EQ(Dumper(context_).Measure({31, DumpCompression::kZstd}), 1000u);
  EXPECT_THAT(filter_.runs()[0], HasSubstr("-z -d 31 "));
  filter_.SetBody("exit 1");
  EXPECT_FALSE(Dumper(context_).Measure({}));
}

TEST_F(DumpTest, StreamedDump) {
  DumpResult result = Stream(kWorkingFilter);
  EXPECT_EQ(result.state, DumpState::kComplete);
  EXPECT_EQ(result.file.name, "vmcore.flat");
  EXPECT_EQ(result.file.verified, Verified::kYes);
  EXPECT_EQ(result.file.digest.size, 5048u);
  EXPECT_EQ(fake_.files["vmcore.flat"].size(), 5048u);
  EXPECT_THAT(filter_.runs(), ElementsAre(fmt::format("-l -d 31 --json={} --message-level 7 -F {}",
                                                      dir_.File("run/kdump-filter.json"),
                                                      dir_.File("proc/vmcore"))));
}
TEST_F(DumpTest, FlattenedFile) {
  config_.flattened = true;
  DumpResult result = Save(kWorkingFilter);
  EXPECT_EQ(result.file.name, "vmcore.flat");
  EXPECT_EQ(result.file.verified, Verified::kYes);
  EXPECT_TRUE(Has("vmcore.flat"));
}
TEST_F(DumpTest, StreamThatIsCutIsNoDump) {
  DumpResult result = Stream("flat | head -c 4200; exit 0");
  EXPECT_EQ(result.state, DumpState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("ends early"));
  EXPECT_EQ(result.file.name, "vmcore.flat-incomplete");
  EXPECT_FALSE(fake_.files.contains("vmcore.flat"));
}
TEST_F(DumpTest, StreamOfSomethingElseIsNoDump) {
  EXPECT_THAT(Stream("head -c 9000 /dev/zero").reason, HasSubstr("does not begin"));
}
TEST_F(DumpTest, DestinationThatTakesNoMore) {
  fake_.limit = 4500;
  DumpResult result = Stream("flat; cat /dev/zero");
  EXPECT_EQ(result.state, DumpState::kFailed);
  EXPECT_TRUE(result.blames_destination);
  EXPECT_THAT(result.reason, HasSubstr("No space left"));
}
TEST_F(DumpTest, StreamThatArrivedDamaged) {
  fake_.damages = true;
  DumpResult result = Stream(kWorkingFilter);
  EXPECT_EQ(result.state, DumpState::kFailed);
  EXPECT_TRUE(result.blames_destination);
}
TEST_F(DumpTest, StreamsFirstTryIsSetAside) {
  Stream("[ $run = 1 ] && echo half && exit 1; exit 1");
  EXPECT_EQ(fake_.files["vmcore.flat-incomplete-1"], "half\n");
}
TEST_F(DumpTest, ScpIsAPlainCopy) {
  config_.collector = {"scp"};
  DumpResult result = Stream("exit 1");
  EXPECT_EQ(result.state, DumpState::kComplete);
  EXPECT_EQ(fake_.files["vmcore"], "memory");
  EXPECT_TRUE(filter_.runs().empty());
}

TEST_F(DumpTest, DmesgIsSavedAndRead) {
  filter_.SetBody(kWorkingFilter);
  DmesgReader reader;
  Result<StoredFile> file = Dumper(context_).SaveDmesg(*target_, reader);
  ASSERT_TRUE(file);
  EXPECT_EQ(Content("kdump/d/vmcore-dmesg.txt"), "first line\nKernel panic - not syncing: test\n");
  EXPECT_EQ(file->verified, Verified::kYes);
  EXPECT_EQ(reader.panic(), "test");
  EXPECT_THAT(filter_.runs(), ElementsAre("--dump-dmesg -F " + dir_.File("proc/vmcore")));
}
TEST_F(DumpTest, DamagedDmesgIsKept) {
  filter_.SetBody("echo x; exit 3");
  DmesgReader reader;
  EXPECT_TRUE(Dumper(context_).SaveDmesg(*target_, reader));
}
TEST_F(DumpTest, DmesgThatFailsOrIsEmpty) {
  DmesgReader reader;
  for (const char* body : {"echo x; exit 1", "exit 0"}) {
    filter_.SetBody(body);
    FakeTarget target;
    EXPECT_FALSE(Dumper(context_).SaveDmesg(target, reader)) << body;
    EXPECT_FALSE(target.files.contains("vmcore-dmesg.txt"));
  }
}

}  // namespace
}  // namespace kdumpkit
