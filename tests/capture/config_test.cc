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
  EXPECT_EQ(config.destination, "");
  EXPECT_EQ(config.path, "/var/crash");
  EXPECT_EQ(config.host, "localhost");
  EXPECT_EQ(config.level, 31u);
  EXPECT_EQ(config.threads, 0u);
  EXPECT_EQ(config.compression, Compression::kLzo);
  EXPECT_EQ(config.final_action, FinalAction::kReboot);
  EXPECT_EQ(config.timeout, std::chrono::seconds(60));
  EXPECT_EQ(config.stall, std::chrono::seconds(600));
}

TEST(CaptureConfig, DestinationByUuid) {
  EXPECT_EQ(Read("kdump.dest=UUID=12-ab").destination, "UUID=12-ab");
}
TEST(CaptureConfig, DestinationByLabel) {
  EXPECT_EQ(Read("kdump.dest=LABEL=crash").destination, "LABEL=crash");
}
TEST(CaptureConfig, DestinationByDevice) {
  EXPECT_EQ(Read("kdump.dest=/dev/vda1").destination, "/dev/vda1");
}
TEST(CaptureConfig, UdevsLinksAreTakenForWhatTheyMean) {
  EXPECT_EQ(Read("kdump.dest=/dev/disk/by-uuid/12-ab").destination, "UUID=12-ab");
  EXPECT_EQ(Read("kdump.dest=/dev/disk/by-label/crash").destination, "LABEL=crash");
}
TEST(CaptureConfig, QuotesKeepBlanks) {
  EXPECT_EQ(Read("kdump.dest=\"LABEL=my disk\"").destination, "LABEL=my disk");
  EXPECT_EQ(Read("\"kdump.dest=LABEL=my disk\"").destination, "LABEL=my disk");
}
TEST(CaptureConfig, PathLosesSlashesAtItsEnd) {
  EXPECT_EQ(Read("kdump.path=/crash//").path, "/crash");
  EXPECT_EQ(Read("kdump.path=/").path, "/");
}
TEST(CaptureConfig, Level) { EXPECT_EQ(Read("kdump.level=0").level, 0u); }
TEST(CaptureConfig, Threads) { EXPECT_EQ(Read("kdump.threads=4").threads, 4u); }
TEST(CaptureConfig, Host) { EXPECT_EQ(Read("kdump.host=db1.example").host, "db1.example"); }
TEST(CaptureConfig, FsType) { EXPECT_EQ(Read("kdump.fstype=xfs").fs_type, "xfs"); }
TEST(CaptureConfig, Timeout) {
  EXPECT_EQ(Read("kdump.timeout=5").timeout, std::chrono::seconds(5));
}
TEST(CaptureConfig, Stall) { EXPECT_EQ(Read("kdump.stall=30").stall, std::chrono::seconds(30)); }

TEST(CaptureConfig, Compressions) {
  EXPECT_EQ(Read("kdump.compression=none").compression, Compression::kNone);
  EXPECT_EQ(Read("kdump.compression=zlib").compression, Compression::kZlib);
  EXPECT_EQ(Read("kdump.compression=lzo").compression, Compression::kLzo);
  EXPECT_EQ(Read("kdump.compression=snappy").compression, Compression::kSnappy);
  EXPECT_EQ(Read("kdump.compression=zstd").compression, Compression::kZstd);
}

TEST(CaptureConfig, FinalActions) {
  EXPECT_EQ(Read("kdump.final=reboot").final_action, FinalAction::kReboot);
  EXPECT_EQ(Read("kdump.final=poweroff").final_action, FinalAction::kPowerOff);
  EXPECT_EQ(Read("kdump.final=halt").final_action, FinalAction::kHalt);
}

TEST(CaptureConfig, LastOfTwoCounts) { EXPECT_EQ(Read("kdump.level=1 kdump.level=31").level, 31u); }

TEST(CaptureConfig, UnknownWordIsReported) {
  EXPECT_THAT(ReadCaptureConfig("kdump.levle=1 kdump.dest=/dev/vda").complaints,
              ElementsAre("'kdump.levle=1': unknown word, ignoring"));
}

class BadValue : public testing::TestWithParam<const char*> {};

TEST_P(BadValue, IsReportedAndChangesNothing) {
  ConfigReading reading = ReadCaptureConfig(fmt::format(
      "kdump.dest=/dev/vda kdump.path=/c kdump.level=1 kdump.final=halt {}", GetParam()));
  EXPECT_THAT(reading.complaints,
              ElementsAre(fmt::format("'{}': bad value, ignoring", GetParam())));
  EXPECT_EQ(reading.config.destination, "/dev/vda");
  EXPECT_EQ(reading.config.path, "/c");
  EXPECT_EQ(reading.config.level, 1u);
  EXPECT_EQ(reading.config.final_action, FinalAction::kHalt);
  EXPECT_EQ(reading.config.host, "localhost");
  EXPECT_EQ(reading.config.threads, 0u);
  EXPECT_EQ(reading.config.fs_type, "");
}

INSTANTIATE_TEST_SUITE_P(
    CaptureConfig, BadValue,
    testing::Values("kdump.level=32", "kdump.level=", "kdump.level=-1", "kdump.level=3x",
                    "kdump.level=99999999999", "kdump.level", "kdump.dest=vda",
                    "kdump.dest=UUID=", "kdump.dest=", "kdump.path=crash", "kdump.path=/a/../b",
                    "kdump.path=/..", "kdump.compression=bzip2", "kdump.final=shell",
                    "kdump.timeout=soon", "kdump.threads=0", "kdump.stall=0", "kdump.host=a/b",
                    "kdump.host=..", "kdump.host=", "kdump.fstype="));

TEST(SplitCommandLine, BlanksOfEverySort) {
  EXPECT_THAT(SplitCommandLine(" a\tb  c\n"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(SplitCommandLine(""), IsEmpty());
}
TEST(SplitCommandLine, OpenQuoteEndsWithTheLine) {
  EXPECT_THAT(SplitCommandLine("a \"b c"), ElementsAre("a", "b c"));
}

}  // namespace
}  // namespace kdumpkit
