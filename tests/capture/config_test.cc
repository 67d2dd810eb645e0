// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

CaptureConfig Read(std::string_view line) {
  ConfigReading reading = ReadCaptureConfig(line);
  EXPECT_THAT(reading.complaints, IsEmpty());
  return reading.config;
}

TEST(CaptureConfig, DefaultsWithoutAnyWord) {
  CaptureConfig config = Read("console=ttyS0 nr_cpus=1 kdump notkdump.level=1");
  EXPECT_THAT(config.destinations, IsEmpty());
  EXPECT_EQ(config.path, "/var/crash");
  EXPECT_EQ(config.host, "localhost");
  EXPECT_EQ(config.level, 31u);
  EXPECT_EQ(config.threads, 0u);
  EXPECT_EQ(config.compression, DumpCompression::kLzo);
  EXPECT_EQ(config.final_action, EndAction::kReboot);
  EXPECT_EQ(config.device_timeout, std::chrono::seconds(60));
  EXPECT_EQ(config.stall_timeout, std::chrono::seconds(600));
}

TEST(CaptureConfig, DestinationByUuid) {
  EXPECT_EQ(Read("kdump.dest=UUID=12-ab").destinations.at(0).source, "UUID=12-ab");
}
TEST(CaptureConfig, DestinationByLabel) {
  EXPECT_EQ(Read("kdump.dest=LABEL=crash").destinations.at(0).source, "LABEL=crash");
}
TEST(CaptureConfig, DestinationByDevice) {
  EXPECT_EQ(Read("kdump.dest=/dev/vda1").destinations.at(0).source, "/dev/vda1");
}
TEST(CaptureConfig, UdevsLinksAreTakenForWhatTheyMean) {
  EXPECT_EQ(Read("kdump.dest=/dev/disk/by-uuid/12-ab").destinations.at(0).source, "UUID=12-ab");
  EXPECT_EQ(Read("kdump.dest=/dev/disk/by-label/crash").destinations.at(0).source, "LABEL=crash");
}
TEST(CaptureConfig, QuotesKeepBlanks) {
  EXPECT_EQ(Read("kdump.dest=\"LABEL=my disk\"").destinations.at(0).source, "LABEL=my disk");
  EXPECT_EQ(Read("\"kdump.dest=LABEL=my disk\"").destinations.at(0).source, "LABEL=my disk");
}
TEST(CaptureConfig, PathLosesSlashesAtItsEnd) {
  EXPECT_EQ(Read("kdump.path=/crash//").path, "/crash");
  EXPECT_EQ(Read("kdump.path=/").path, "/");
}
TEST(CaptureConfig, Level) { EXPECT_EQ(Read("kdump.level=0").level, 0u); }
TEST(CaptureConfig, Threads) { EXPECT_EQ(Read("kdump.threads=4").threads, 4u); }
TEST(CaptureConfig, Host) { EXPECT_EQ(Read("kdump.host=db1.example").host, "db1.example"); }
TEST(CaptureConfig, FsType) {
  EXPECT_EQ(Read("kdump.fstype=xfs kdump.dest=/dev/vda").destinations[0].fs_type, "xfs");
}
TEST(CaptureConfig, Timeout) {
  EXPECT_EQ(Read("kdump.timeout=5").device_timeout, std::chrono::seconds(5));
}
TEST(CaptureConfig, Stall) {
  EXPECT_EQ(Read("kdump.stall=30").stall_timeout, std::chrono::seconds(30));
}

TEST(CaptureConfig, Compressions) {
  EXPECT_EQ(Read("kdump.compression=none").compression, DumpCompression::kNone);
  EXPECT_EQ(Read("kdump.compression=zlib").compression, DumpCompression::kZlib);
  EXPECT_EQ(Read("kdump.compression=lzo").compression, DumpCompression::kLzo);
  EXPECT_EQ(Read("kdump.compression=snappy").compression, DumpCompression::kSnappy);
  EXPECT_EQ(Read("kdump.compression=zstd").compression, DumpCompression::kZstd);
}

TEST(CaptureConfig, EndActions) {
  EXPECT_EQ(Read("kdump.final=reboot").final_action, EndAction::kReboot);
  EXPECT_EQ(Read("kdump.final=poweroff").final_action, EndAction::kPowerOff);
  EXPECT_EQ(Read("kdump.final=halt").final_action, EndAction::kHalt);
}

TEST(CaptureConfig, LastOfTwoCounts) { EXPECT_EQ(Read("kdump.level=1 kdump.level=31").level, 31u); }

TEST(CaptureConfig, UnknownWordIsReported) {
  EXPECT_THAT(ReadCaptureConfig("kdump.levle=1 kdump.dest=/dev/vda").complaints,
              ElementsAre("'kdump.levle=1': unknown word, ignoring"));
}

CaptureConfig ReadFile(std::string_view line, const std::string& text) {
  return ReadCaptureConfig(line, ConfigSource{"/etc/kdump.conf", text}).config;
}

TEST(CaptureConfig, FileIsRead) {
  CaptureConfig config = ReadFile("quiet",
                                  "destination UUID=1a:/d\ndestination ssh://u@h/x\n"
                                  "level 17\nmin_free 1G\n");
  ASSERT_EQ(config.destinations.size(), 2u);
  EXPECT_EQ(config.destinations[0].path, "/d");
  EXPECT_EQ(config.destinations[1].kind, Destination::Kind::kSsh);
  EXPECT_EQ(config.level, 17u);
  EXPECT_EQ(config.min_free, uint64_t{1} << 30);
  EXPECT_EQ(config.host, "localhost");
}
TEST(CaptureConfig, WordsOverrideTheFile) {
  CaptureConfig config =
      ReadFile("kdump.level=1 kdump.dest=LABEL=x kdump.host=db1 kdump.boot-id=b kdump.test-id=t",
               "destination UUID=1a\ndestination UUID=2b\nlevel 17\npath /dumps\n");
  ASSERT_EQ(config.destinations.size(), 1u);
  EXPECT_EQ(config.destinations[0].source, "LABEL=x");
  EXPECT_EQ(config.destinations[0].path, "/dumps");
  EXPECT_EQ(config.level, 1u);
  EXPECT_EQ(config.host, "db1");
  EXPECT_EQ(config.boot_id, "b");
  EXPECT_EQ(config.test_id, "t");
}
TEST(CaptureConfig, PathIsForEveryDestination) {
  CaptureConfig config =
      ReadFile("kdump.path=/p", "destination UUID=1a:/d\ndestination raw:/dev/sdb");
  EXPECT_EQ(config.destinations[0].path, "/p");
  EXPECT_EQ(config.destinations[1].path, "");
}
TEST(CaptureConfig, AnyDestinationMayBeAWord) {
  Destination nfs = Read("kdump.dest=nfs://files/export:/sub").destinations.at(0);
  EXPECT_EQ(nfs.host, "files");
  EXPECT_EQ(nfs.path, "/sub");
  EXPECT_TRUE(Read("kdump.dest=raw:PARTUUID=ab").destinations.at(0).IsRaw());
}
TEST(CaptureConfig, DirectivesMayBeWords) {
  CaptureConfig config = Read("kdump.min_free=2M kdump.failure_action=shell kdump.kdump_pre=/a");
  EXPECT_EQ(config.min_free, uint64_t{2} << 20);
  EXPECT_EQ(config.failure_action, FailureAction::kShell);
  EXPECT_EQ(config.pre_hook, "/a");
}
TEST(CaptureConfig, DirectivesOfTheRunningSystemAreNoWords) {
  EXPECT_THAT(ReadCaptureConfig("kdump.keep_count=3 kdump.sshkey=/k").complaints,
              ElementsAre("'kdump.keep_count=3': unknown word, ignoring",
                          "'kdump.sshkey=/k': unknown word, ignoring"));
}
TEST(CaptureConfig, BadLineCostsThatLine) {
  ConfigReading reading = ReadCaptureConfig(
      "", ConfigSource{"/etc/kdump.conf", "levle 1\nlevel 3\nmin_free soon\ndestination UUID=1\n"});
  EXPECT_EQ(reading.config.level, 3u);
  EXPECT_EQ(reading.config.min_free, Config().min_free);
  EXPECT_EQ(reading.config.destinations.size(), 1u);
  ASSERT_EQ(reading.complaints.size(), 2u);
  EXPECT_THAT(reading.complaints[0], testing::StartsWith("/etc/kdump.conf:1: error: "));
  EXPECT_THAT(reading.complaints[0], testing::EndsWith(", ignoring"));
}

class BadValue : public testing::TestWithParam<const char*> {};

TEST_P(BadValue, IsReportedAndChangesNothing) {
  ConfigReading reading = ReadCaptureConfig(fmt::format(
      "kdump.dest=/dev/vda kdump.path=/c kdump.level=1 kdump.final=halt {}", GetParam()));
  EXPECT_THAT(reading.complaints,
              ElementsAre(fmt::format("'{}': bad value, ignoring", GetParam())));
  EXPECT_EQ(reading.config.destinations.at(0).source, "/dev/vda");
  EXPECT_EQ(reading.config.path, "/c");
  EXPECT_EQ(reading.config.level, 1u);
  EXPECT_EQ(reading.config.final_action, EndAction::kHalt);
  EXPECT_EQ(reading.config.host, "localhost");
  EXPECT_EQ(reading.config.threads, 0u);
  EXPECT_EQ(reading.config.destinations[0].fs_type, "");
}

INSTANTIATE_TEST_SUITE_P(
    CaptureConfig, BadValue,
    testing::Values("kdump.level=32", "kdump.level=", "kdump.level=-1", "kdump.level=3x",
                    "kdump.level=99999999999", "kdump.level", "kdump.dest=vda",
                    "kdump.dest=UUID=", "kdump.dest=", "kdump.dest=/var/crash", "kdump.path=crash",
                    "kdump.path=/a/../b", "kdump.path=/..", "kdump.compression=bzip2",
                    "kdump.final=explode", "kdump.test-id=a/b",
                    "kdump.boot-id=", "kdump.timeout=soon", "kdump.threads=2000", "kdump.stall=0",
                    "kdump.host=a/b", "kdump.host=..", "kdump.host=", "kdump.fstype="));

TEST(SplitCommandLine, BlanksOfEverySort) {
  EXPECT_THAT(SplitCommandLine(" a\tb  c\n"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(SplitCommandLine(""), IsEmpty());
}
TEST(CommandLineValue, LastOneCounts) {
  EXPECT_EQ(CommandLineValue("root=/dev/a ro root=UUID=1 rootfstype=xfs", "root"), "UUID=1");
  EXPECT_EQ(CommandLineValue("rootfstype=xfs", "root"), "");
}
TEST(SplitCommandLine, OpenQuoteEndsWithTheLine) {
  EXPECT_THAT(SplitCommandLine("a \"b c"), ElementsAre("a", "b c"));
}

}  // namespace
}  // namespace kdumpkit
