// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/dump.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "dumpfile/kdump_reader.h"
#include "filter/input.h"
#include "tests/support/fake_counters.h"
#include "tests/support/rearrange.h"
#include "tests/support/temp_dir.h"
#include "tests/support/vmcore_builder.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kPage = 4096;

// A vmcore without VMCOREINFO: memory of 20 pages and a bit, of which nothing is understood.
class DumpTest : public ::testing::Test {
 protected:
  DumpTest() {
    VmcoreBuilder builder;
    builder.AddCpu().AddCpu().AddSegment(PhysAddr(16 * kPage), PatternBytes(20 * kPage + 512, 1));
    options_.vmcore = builder.WriteTo(dir_.File("vmcore"));
    options_.output = dir_.File("dump");
    options_.message_level = 0;
    options_.level = *DumpLevel::Make(31);
  }

  Result<DumpReport> Create() { return CreateDump(options_, stop_); }
  ByteBuffer Bytes(std::string_view name) {
    UniqueFd fd = OpenFile(dir_.File(name), O_RDONLY).value();
    return ReadToEnd(fd.get(), size_t{1} << 20).value();
  }
  bool Exists(std::string_view name) { return access(dir_.File(name).c_str(), F_OK) == 0; }

  TempDir dir_;
  FilterOptions options_;
  std::atomic<bool> stop_ = false;
};

TEST_F(DumpTest, WhatIsNotUnderstoodIsKeptAndSaid) {
  DumpReport report = Create().value();
  EXPECT_EQ(report.completeness, Completeness::kPartial);
  EXPECT_EQ(report.requested_level, 31);
  EXPECT_EQ(report.level, 1);
  EXPECT_EQ(report.kept_pages, 21u);
  ASSERT_FALSE(report.warnings.empty());
  EXPECT_NE(report.warnings[0].find("VMCOREINFO"), std::string::npos);
  std::unique_ptr<KdumpReader> dump =
      std::move(KdumpReader::Open(OpenFile(report.dump, O_RDONLY).value())).value();
  // No page is missing: the file itself is not an incomplete one.
  EXPECT_FALSE(dump->info().incomplete());
  EXPECT_EQ(dump->info().header.nr_cpus, 2u);
  EXPECT_TRUE(dump->Dumped(Pfn(36)));  // the fractional last page, filled up with zeros
  EXPECT_FALSE(Exists("dump-incomplete"));
}

TEST_F(DumpTest, LevelOneNeedsNoUnderstanding) {
  options_.level = *DumpLevel::Make(1);
  EXPECT_EQ(Create().value().completeness, Completeness::kComplete);
}

// A vmcore whose kernel counts more anonymous pages than there are.
TEST_F(DumpTest, StrictMakesADumpOfALowerLevelPartial) {
  FakeKernel kernel({.memory = uint64_t{40} << 20});
  FakeCounters counters(kernel);
  counters.Set(FakeCounter::kAnonymous, 5000);
  PageStructs user(FindEra("6.12"), 16);
  for (size_t i = 0; i < user.count(); ++i) user.Anonymous(i);
  kernel.PutPages(0x1800, user);
  VmcoreBuilder builder;
  builder.AddVmcoreinfo(kernel.vmcoreinfo());
  builder.AddSegment(PhysAddr(0), kernel.memory().Copy(PhysAddr(0), size_t{40} << 20));
  options_.vmcore = builder.WriteTo(dir_.File("counting"));
  options_.codec = Codec::kLzo;
  DumpReport trusting = Create().value();
  EXPECT_EQ(trusting.completeness, Completeness::kComplete);
  EXPECT_EQ(trusting.level, 31);
  options_.strict = options_.force = true;
  DumpReport strict = Create().value();
  EXPECT_EQ(strict.completeness, Completeness::kPartial);
  EXPECT_EQ(strict.level, 23);
  EXPECT_EQ(strict.requested_level, 31);
  EXPECT_EQ(strict.kept_pages, trusting.kept_pages + user.count());
  std::unique_ptr<KdumpReader> dump =
      std::move(KdumpReader::Open(OpenFile(strict.dump, O_RDONLY).value())).value();
  EXPECT_FALSE(dump->info().incomplete());
  EXPECT_TRUE(dump->Dumped(Pfn(0x1800)));
}

TEST_F(DumpTest, ATruncatedVmcoreGivesAPartialDump) {
  ASSERT_EQ(truncate(options_.vmcore.c_str(),
                     static_cast<off_t>(std::filesystem::file_size(options_.vmcore) - 5 * kPage)),
            0);
  DumpReport report = Create().value();
  EXPECT_EQ(report.completeness, Completeness::kPartial);
  EXPECT_GE(report.stream.unreadable_pages, 5u);
  EXPECT_EQ(report.dump, options_.output);
}

TEST_F(DumpTest, AnInterruptedDumpKeepsItsIncompleteName) {
  stop_ = true;
  DumpReport report = Create().value();
  EXPECT_EQ(report.completeness, Completeness::kPartial);
  EXPECT_EQ(report.dump, dir_.File("dump-incomplete"));
  EXPECT_FALSE(Exists("dump"));
}

TEST_F(DumpTest, AnExistingDumpIsRefusedAndKept) {
  dir_.Write("dump", "precious");
  EXPECT_FALSE(Create());
  RootDir root = RootDir::Open(dir_.path()).value();
  EXPECT_EQ(root.ReadLine("dump"), "precious");
  EXPECT_FALSE(Exists("dump-incomplete"));
}

TEST_F(DumpTest, DryRunWritesNothingAndKnowsTheSize) {
  uint64_t bytes = Create().value().dump_bytes;
  options_.dry_run = true;
  options_.output = dir_.File("dry");
  EXPECT_EQ(Create().value().dump_bytes, bytes);
  EXPECT_FALSE(Exists("dry"));
  EXPECT_FALSE(Exists("dry-incomplete"));
}

// 21 pages of noise: headers and 20 pages, but not 21, are less than 100 KiB.
TEST_F(DumpTest, ALimitLeavesAnIncompleteDump) {
  options_.size_limit = 100 << 10;
  DumpReport report = Create().value();
  EXPECT_EQ(report.completeness, Completeness::kPartial);
  EXPECT_EQ(report.dump, dir_.File("dump-incomplete"));
  EXPECT_LE(report.dump_bytes, 100u << 10);
  std::unique_ptr<KdumpReader> dump =
      std::move(KdumpReader::Open(OpenFile(report.dump, O_RDONLY).value())).value();
  EXPECT_TRUE(dump->info().incomplete());
}

TEST_F(DumpTest, TheNextLevelIsTriedWhenThereIsNoRoom) {
  options_.size_limit = 100 << 10;
  options_.further_levels = {*DumpLevel::Make(1), *DumpLevel::Make(0)};
  DumpReport report = Create().value();
  ASSERT_EQ(report.given_up.size(), 2u);
  EXPECT_EQ(report.given_up[0].level, 31);
  EXPECT_NE(report.given_up[1].failure.find("limit"), std::string::npos);
  EXPECT_EQ(report.level, 0);
}

TEST_F(DumpTest, NoRoomForTheHeadersLeavesNothing) {
  options_.size_limit = 5000;
  EXPECT_FALSE(Create());
  EXPECT_FALSE(Exists("dump-incomplete"));
}

TEST_F(DumpTest, AStreamIsTheSameDump) {
  DumpReport written = Create().value();
  UniqueFd stream = OpenFile(dir_.File("stream"), O_RDWR | O_CREAT, 0600).value();
  options_.stream_fd = stream.get();
  options_.output.clear();
  options_.threads = 3;
  DumpReport streamed = Create().value();
  EXPECT_EQ(streamed.dump, "standard output");
  EXPECT_EQ(streamed.dump_bytes, written.dump_bytes);
  EXPECT_EQ(Rearrange(Bytes("stream")), Bytes("dump"));
}

TEST_F(DumpTest, AnElfCoreHasWhatTheVmcoreHas) {
  options_.elf = true;
  DumpReport report = Create().value();
  EXPECT_EQ(report.dump, options_.output);
  EXPECT_EQ(report.dump_bytes, std::filesystem::file_size(report.dump));
  Input before = Input::Open(options_.vmcore).value(), after = Input::Open(report.dump).value();
  ASSERT_TRUE(after.elf);
  EXPECT_EQ(after.raw_notes, before.raw_notes);
  EXPECT_EQ(after.dump_level(), 1);
  EXPECT_FALSE(after.incomplete());
  EXPECT_TRUE(std::ranges::equal(after.memory().ranges(), before.memory().ranges()));
  EXPECT_TRUE(
      std::ranges::equal(after.memory().NewReader()->View(PhysAddr(20 * kPage), kPage).value(),
                         before.memory().NewReader()->View(PhysAddr(20 * kPage), kPage).value()));
}

TEST_F(DumpTest, FromElfToKdumpNothingIsLost) {
  ASSERT_TRUE(Create());
  options_.elf = true;
  options_.output = dir_.File("elf");
  ASSERT_TRUE(Create());
  options_.vmcore = options_.output;
  options_.elf = false;
  options_.output = dir_.File("back");
  ASSERT_TRUE(Create());
  EXPECT_EQ(Bytes("back"), Bytes("dump"));
}

TEST_F(DumpTest, AnInterruptedElfCoreHasNothingInvented) {
  options_.elf = true;
  stop_ = true;
  DumpReport report = Create().value();
  EXPECT_EQ(report.dump, dir_.File("dump-incomplete"));
  Input input = Input::Open(report.dump).value();
  EXPECT_TRUE(input.incomplete());
  EXPECT_TRUE(input.memory().ranges().empty());
}

TEST_F(DumpTest, AnInterruptedStreamIsAnIncompleteDump) {
  UniqueFd stream = OpenFile(dir_.File("stream"), O_RDWR | O_CREAT, 0600).value();
  options_.stream_fd = stream.get();
  stop_ = true;
  EXPECT_EQ(Create().value().completeness, Completeness::kPartial);
  dir_.Write("rearranged", AsText(Rearrange(Bytes("stream"))));
  std::unique_ptr<KdumpReader> dump =
      KdumpReader::Open(OpenFile(dir_.File("rearranged"), O_RDONLY).value()).value();
  EXPECT_TRUE(dump->info().incomplete());
}

TEST_F(DumpTest, AStreamThatCannotBeWrittenIsNoDump) {
  UniqueFd full = OpenFile("/dev/full", O_WRONLY).value();
  options_.stream_fd = full.get();
  Result<DumpReport> report = Create();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().error_number(), ENOSPC);
  EXPECT_NE(report.error().message().find("standard output"), std::string::npos);
}

TEST_F(DumpTest, NothingIsWrittenWhenSomethingCannotBeErased) {
  options_.erase_config = dir_.Write("erase.conf", "erase a\nerase size 3\n");
  Result<DumpReport> report = Create();
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message().find("erase.conf:2:7: what to erase is missing"),
            std::string::npos);
  options_.erase_config = dir_.Write("erase.conf", "erase a\n");
  EXPECT_NE(Create().error().message().find("the dead kernel is not understood"),
            std::string::npos);
  options_.erase_config = dir_.File("nothing");
  EXPECT_EQ(Create().error().error_number(), ENOENT);
  EXPECT_FALSE(Exists("dump"));
  EXPECT_FALSE(Exists("dump-incomplete"));
}

TEST_F(DumpTest, LenientErasingWarns) {
  options_.erase_config = dir_.Write("erase.conf", "erase a\nerase size 3\n");
  options_.erase_lenient = true;
  DumpReport report = Create().value();
  EXPECT_EQ(report.erased.skipped, 2u);
  EXPECT_NE(report.warnings.back().find("the dead kernel is not understood, not erased, ignoring"),
            std::string::npos);
  EXPECT_TRUE(Exists("dump"));
}

TEST_F(DumpTest, AMissingVmcoreLeavesNothingBehind) {
  options_.vmcore = dir_.File("nothing");
  Result<DumpReport> report = Create();
  EXPECT_EQ(report.error().error_number(), ENOENT);
  EXPECT_FALSE(Exists("dump-incomplete"));
}

TEST_F(DumpTest, TheLogNeedsVmcoreinfo) {
  Result<std::vector<std::string>> log = DumpKernelLog(options_);
  ASSERT_FALSE(log);
  EXPECT_NE(log.error().message().find("VMCOREINFO"), std::string::npos);
  EXPECT_FALSE(Exists("dump"));
}

}  // namespace
}  // namespace kdumpkit
