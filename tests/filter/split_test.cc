// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/split.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "filter/compare.h"
#include "filter/dump.h"
#include "filter/info.h"
#include "filter/input.h"
#include "filter/join.h"
#include "filter/mem_usage.h"
#include "filter/verify.h"
#include "tests/support/fake_memory.h"
#include "tests/support/temp_dir.h"
#include "tests/support/vmcore_builder.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

constexpr uint64_t kPage = 4096;

std::atomic<bool> never_stop = false;

// A third of the pages zero, a third that shrinks, a third of noise.
ByteBuffer Memory(uint64_t pages, uint64_t seed) {
  ByteBuffer bytes = PatternBytes(pages * kPage, seed);
  for (uint64_t page = 0; page < pages; ++page) {
    auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(page * kPage);
    if (page % 3 == 0) std::fill(begin, begin + kPage, std::byte{0});
    if (page % 3 == 1) std::fill(begin + 100, begin + kPage, std::byte{7});
  }
  return bytes;
}

// A vmcore without VMCOREINFO, with a hole between two pieces of memory.
class SplitTest : public ::testing::Test {
 protected:
  SplitTest() {
    options_.vmcore = WriteCore("vmcore", 1);
    options_.level = *DumpLevel::Make(1);
    options_.message_level = 0;
    options_.threads = 2;
  }

  std::string WriteCore(std::string_view name, uint64_t seed) {
    VmcoreBuilder builder;
    builder.AddCpu().AddSegment(PhysAddr(16 * kPage), Memory(300, seed));
    builder.AddSegment(PhysAddr(900 * kPage), Memory(200, seed + 1));
    return builder.WriteTo(dir_.File(name));
  }
  // Parts "<prefix>0" …
  DumpReport Split(size_t parts, const std::string& prefix = "part") {
    options_.split = true;
    options_.parts.clear();
    for (size_t i = 0; i < parts; ++i)
      options_.parts.push_back(dir_.File(fmt::format("{}{}", prefix, i)));
    return CreateDump(options_, stop_).value();
  }
  std::string Direct(const std::string& name = "direct") {
    options_.split = false;
    options_.output = dir_.File(name);
    return CreateDump(options_, never_stop).value().dump;
  }
  Result<JoinReport> Join(std::vector<std::string> names) {
    FilterOptions options;
    options.parts = std::move(names);
    options.output = dir_.File("joined");
    return JoinParts(options, stop_);
  }
  std::string JoinError(std::vector<std::string> names) {
    Result<JoinReport> report = Join(std::move(names));
    EXPECT_FALSE(std::filesystem::exists(dir_.File("joined")));
    EXPECT_FALSE(std::filesystem::exists(dir_.File("joined-incomplete")));
    return report ? "joined" : report.error().message();
  }
  ByteBuffer Bytes(const std::string& path) {
    UniqueFd fd = OpenFile(path, O_RDONLY).value();
    return ReadToEnd(fd.get(), size_t{16} << 20).value();
  }
  std::unique_ptr<KdumpReader> Open(const std::string& path) {
    return KdumpReader::Open(OpenFile(path, O_RDONLY).value()).value();
  }
  VerifyReport Verify(const std::string& path) {
    FilterOptions options;
    options.vmcore = path;
    return VerifyDump(options, never_stop);
  }

  TempDir dir_;
  FilterOptions options_;
  std::atomic<bool> stop_ = false;
};

TEST_F(SplitTest, PartsJoinedAreTheDirectDump) {
  for (Codec codec : {Codec::kNone, Codec::kZlib, Codec::kLzo, Codec::kSnappy, Codec::kZstd}) {
    options_.codec = codec;
    options_.force = true;
    ByteBuffer direct = Bytes(Direct());
    for (size_t count : {2u, 3u, 7u, 40u}) {
      DumpReport report = Split(count);
      EXPECT_EQ(report.completeness, Completeness::kComplete);
      ASSERT_EQ(report.parts.size(), count);
      std::vector<std::string> names(options_.parts.rbegin(), options_.parts.rend());
      Result<JoinReport> joined = Join(names);
      ASSERT_TRUE(joined) << joined.error().message();
      EXPECT_TRUE(joined->complete);
      EXPECT_EQ(joined->pages, report.kept_pages);
      EXPECT_TRUE(Bytes(joined->dump) == direct) << CodecName(codec) << " " << count;
      std::filesystem::remove(joined->dump);
    }
  }
}

TEST_F(SplitTest, EachPartHasThePagesOfItsFramesOnly) {
  std::string direct = Direct();
  DumpReport report = Split(3);
  uint64_t end = 0, pages = 0, bytes = 0;
  for (const DumpPartReport& part : report.parts) {
    EXPECT_EQ(part.frames.first, end);
    EXPECT_EQ(part.frames.first % 64, 0u);
    end = part.frames.end;
    std::unique_ptr<KdumpReader> dump = Open(part.dump);
    EXPECT_EQ(dump->info().part, (KdumpPart{part.frames.first, part.frames.end}));
    EXPECT_EQ(dump->info().sub_header.start_pfn, part.frames.first);
    EXPECT_EQ(dump->info().sub_header.end_pfn_64, part.frames.end);
    EXPECT_FALSE(dump->info().incomplete());
    EXPECT_EQ(dump->page_count(), part.pages);
    EXPECT_EQ(dump->page_count_in_all(), report.kept_pages);
    EXPECT_EQ(Verify(part.dump).soundness, Soundness::kWhole);
    EXPECT_EQ(Verify(part.dump).decompressed_pages, part.pages);
    CompareReport compared = CompareFiles(direct, part.dump, 1, never_stop).value();
    EXPECT_EQ(compared.same, part.pages);
    EXPECT_EQ(compared.only_a.count, report.kept_pages - part.pages);
    EXPECT_EQ(compared.only_b.count + compared.different.count + compared.unreadable.count, 0u);
    EXPECT_EQ(part.bytes, std::filesystem::file_size(part.dump));
    pages += part.pages;
    bytes += part.bytes;
  }
  EXPECT_EQ(end, Open(direct)->info().max_mapnr);
  EXPECT_EQ(pages, report.kept_pages);
  EXPECT_EQ(bytes, report.dump_bytes);
}

TEST_F(SplitTest, EveryPartIsNamed) {
  DumpReport report = Split(2);
  EXPECT_THAT(ReportText(report), HasSubstr("part 2 of 2, '" + dir_.File("part1") + "'"));
  EXPECT_THAT(ReportText(report), HasSubstr("complete dump in 2 parts"));
  nlohmann::json json = nlohmann::json::parse(ReportJson(report));
  ASSERT_EQ(json["parts"].size(), 2u);
  EXPECT_EQ(json["parts"][1]["dump"], dir_.File("part1"));
  EXPECT_EQ(json["parts"][0]["end_frame"], json["parts"][1]["first_frame"]);
  EXPECT_EQ(json["dump"], dir_.File("part0"));
}

TEST_F(SplitTest, DryRunKnowsTheSizes) {
  uint64_t bytes = Split(3).dump_bytes;
  options_.dry_run = true;
  DumpReport report = Split(3, "dry");
  EXPECT_EQ(report.dump_bytes, bytes);
  EXPECT_FALSE(std::filesystem::exists(dir_.File("dry0-incomplete")));
}

TEST_F(SplitTest, BlocksAreAsAskedFor) {
  options_.split_block = 1 << 20;
  for (const DumpPartReport& part : Split(3).parts) EXPECT_EQ(part.frames.first % 256, 0u);
  options_.split_block = 3 << 10;
  options_.force = true;
  Result<DumpReport> report = CreateDump(options_, stop_);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message(), HasSubstr("not a multiple of the page size, 4096 bytes"));
  EXPECT_TRUE(std::filesystem::exists(dir_.File("part0")));
}

TEST_F(SplitTest, AnExistingPartIsRefusedAndKept) {
  dir_.Write("part1", "precious");
  options_.split = true;
  options_.parts = {dir_.File("part0"), dir_.File("part1")};
  EXPECT_FALSE(CreateDump(options_, stop_));
  EXPECT_FALSE(std::filesystem::exists(dir_.File("part0-incomplete")));
  EXPECT_EQ(Bytes(dir_.File("part1")).size(), 8u);
}

TEST_F(SplitTest, AnInterruptionLeavesAllPartsIncomplete) {
  stop_ = true;
  DumpReport report = Split(3);
  stop_ = false;
  EXPECT_EQ(report.completeness, Completeness::kPartial);
  ASSERT_EQ(report.parts.size(), 3u);
  std::vector<std::string> names;
  for (const DumpPartReport& part : report.parts) {
    EXPECT_TRUE(part.dump.ends_with("-incomplete"));
    EXPECT_TRUE(Open(part.dump)->info().incomplete());
    names.push_back(part.dump);
  }
  // Joined, they are a dump that lacks everything.
  JoinReport joined = Join(names).value();
  EXPECT_FALSE(joined.complete);
  EXPECT_EQ(joined.lost_pages, report.kept_pages);
  EXPECT_EQ(joined.dump, dir_.File("joined"));
  EXPECT_TRUE(Open(joined.dump)->info().incomplete());
  EXPECT_EQ(joined.warnings.size(), 3u);
}

// With so large a block, each part has one piece of memory, and the first is the larger one.
TEST_F(SplitTest, OnePartThatCannotBeWrittenMarksAll) {
  options_.split_block = 400 * kPage;
  std::vector<DumpPartReport> sizes = Split(2).parts;
  ASSERT_GT(sizes[0].bytes, sizes[1].bytes + 20 * kPage);
  std::filesystem::remove(sizes[0].dump);
  std::filesystem::remove(sizes[1].dump);
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit low = before;
  low.rlim_cur = sizes[0].bytes - 10 * kPage;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &low), 0);
  DumpReport report = Split(2);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(report.completeness, Completeness::kPartial);
  ASSERT_TRUE(report.stream.failure.has_value());
  EXPECT_THAT(report.stream.failure->message(), HasSubstr("part0-incomplete"));
  for (const DumpPartReport& part : report.parts) {
    EXPECT_TRUE(part.dump.ends_with("-incomplete"));
    EXPECT_TRUE(Open(part.dump)->info().incomplete());
    EXPECT_EQ(Verify(part.dump).soundness, Soundness::kIncomplete);
  }
  EXPECT_FALSE(std::filesystem::exists(dir_.File("part1")));
  // The second one was filled all the same.
  EXPECT_EQ(Verify(report.parts[1].dump).decompressed_pages, 200u);
}

TEST_F(SplitTest, APartAloneIsNotFilteredAgain) {
  DumpReport report = Split(2);
  FilterOptions options;
  options.vmcore = report.dump;
  options.output = dir_.File("again");
  EXPECT_THAT(CreateDump(options, stop_).error().message(), HasSubstr("(--reassemble)"));
  EXPECT_THAT(DumpKernelLog(options).error().message(), HasSubstr("(--reassemble)"));
  EXPECT_THAT(MeasureMemory(report.dump, 1, {}).error().message(), HasSubstr("(--reassemble)"));
  EXPECT_FALSE(std::filesystem::exists(dir_.File("again")));
}

TEST_F(SplitTest, InfoTellsAPart) {
  DumpReport report = Split(2);
  InfoReport info = DescribeFile(report.parts[1].dump).value();
  EXPECT_EQ(info.part, report.parts[1].frames);
  EXPECT_EQ(info.dumped_pages, report.parts[1].pages);
  EXPECT_EQ(info.memory_pages, 500u);
  EXPECT_THAT(InfoText(info), HasSubstr("of a split dump: page frames 0x"));
  nlohmann::json json = nlohmann::json::parse(InfoJson(info));
  EXPECT_EQ(json["part"]["end_frame"], 1100);
  EXPECT_EQ(json["part"]["frames"], 1100);
  EXPECT_TRUE(nlohmann::json::parse(InfoJson(DescribeFile(Direct()).value()))["part"].is_null());
}

TEST_F(SplitTest, PartsThatDoNotBelongTogetherAreRefused) {
  std::string direct = Direct();
  Split(3);
  Split(2, "half");
  options_.vmcore = WriteCore("other", 5);
  options_.codec = Codec::kZlib;
  Split(3, "other");
  auto part = [&](const char* name) { return dir_.File(name); };
  EXPECT_THAT(JoinError({part("part0"), part("part2")}), HasSubstr("in none of the 2 parts"));
  EXPECT_THAT(JoinError({part("part1"), part("part2")}), HasSubstr("page frames 0x0 to"));
  EXPECT_THAT(JoinError({part("part1"), part("part0")}), HasSubstr("to 0x44c are in none"));
  EXPECT_THAT(JoinError({part("part0"), part("half0"), part("half1")}), HasSubstr("are both in"));
  EXPECT_THAT(JoinError({part("part0"), part("part1"), part("other2")}),
              HasSubstr("not parts of one dump: their headers differ"));
  EXPECT_THAT(JoinError({part("part0"), direct}), HasSubstr("is no part of a split dump"));
  EXPECT_THAT(JoinError({part("part0"), options_.vmcore}), HasSubstr("is no part"));
  EXPECT_THAT(JoinError({part("part0"), part("none")}), HasSubstr("No such file"));
}

TEST_F(SplitTest, PartsWithOtherNotesOrBitmapsAreRefused) {
  Split(2);
  std::string part = dir_.File("part1");
  UniqueFd fd = OpenFile(part, O_RDWR).value();
  std::unique_ptr<KdumpReader> dump = Open(part);
  auto flip = [&](uint64_t offset) {
    ByteBuffer byte(1);
    ASSERT_TRUE(ReadFullyAt(fd.get(), FileOffset(offset), byte));
    byte[0] ^= std::byte{1};
    ASSERT_TRUE(WriteFullyAt(fd.get(), FileOffset(offset), byte));
  };
  uint64_t notes = dump->info().sub_header.offset_note, bitmap = dump->info().bitmap_start().value;
  for (auto [offset, what] : {std::pair{notes + 20, "notes"}, std::pair{bitmap, "page bitmaps"}}) {
    flip(offset);
    EXPECT_THAT(JoinError({dir_.File("part0"), part}), HasSubstr(fmt::format("{} differ", what)));
    flip(offset);
  }
  EXPECT_TRUE(Join({dir_.File("part0"), part}));
}

TEST_F(SplitTest, TheOutputIsNoneOfTheParts) {
  Split(2);
  for (const char* name : {"joined", "joined-incomplete"}) {
    std::filesystem::create_hard_link(dir_.File("part0"), dir_.File(name));
    Result<JoinReport> report = Join({dir_.File("part0"), dir_.File("part1")});
    ASSERT_FALSE(report);
    EXPECT_THAT(report.error().message(), HasSubstr("is one of the parts"));
    std::filesystem::remove(dir_.File(name));
  }
}

TEST_F(SplitTest, ADamagedDescriptorLosesItsPageOnly) {
  Split(2);
  std::string part = dir_.File("part0");
  UniqueFd fd = OpenFile(part, O_RDWR).value();
  ByteBuffer nonsense(kPageDescriptorSize, std::byte{0xee});
  ASSERT_TRUE(WriteFullyAt(fd.get(), Open(part)->DescriptorOffset(5), nonsense));
  JoinReport joined = Join({dir_.File("part1"), part}).value();
  EXPECT_FALSE(joined.complete);
  EXPECT_EQ(joined.lost_pages, 1u);
  ASSERT_EQ(joined.warnings.size(), 1u);
  EXPECT_THAT(joined.warnings[0], HasSubstr("1 pages lost: descriptor 5 at offset 0x"));
  EXPECT_EQ(Verify(joined.dump).soundness, Soundness::kIncomplete);
  CompareReport compared = CompareFiles(Direct(), joined.dump, 1, never_stop).value();
  EXPECT_EQ(compared.same, 499u);
  EXPECT_EQ(compared.unreadable.count, 1u);
  EXPECT_EQ(nlohmann::json::parse(JoinJson(joined))["lost_pages"], 1);
  EXPECT_THAT(JoinText(joined), HasSubstr("partial dump"));
}

TEST_F(SplitTest, AnInterruptedJoinKeepsItsIncompleteName) {
  Split(2);
  stop_ = true;
  JoinReport joined = Join(options_.parts).value();
  EXPECT_FALSE(joined.complete);
  EXPECT_EQ(joined.dump, dir_.File("joined-incomplete"));
  EXPECT_TRUE(Open(joined.dump)->info().incomplete());
}

// 1000 pages of zeros, then 1000 of noise.
class CutTest : public ::testing::Test {
 protected:
  CutTest() {
    memory_.AddRange(PhysAddr(0), 2000 * kPage);
    memory_.Write(PhysAddr(1000 * kPage), PatternBytes(1000 * kPage, 3));
  }
  std::vector<PfnRun> Cut(size_t parts, uint64_t block, std::vector<PfnRun> kept) {
    return CutIntoParts(memory_, PageBitmap(2000, kept), {parts, 2000, block, kPage, Codec::kLzo})
        .value();
  }

  FakeMemory memory_;
};

TEST_F(CutTest, BytesCountNotPages) {
  std::vector<PfnRun> parts = Cut(2, 1, {{0, 2000}});
  ASSERT_EQ(parts.size(), 2u);
  // Descriptors count, too: 24 bytes a page.
  EXPECT_NEAR(static_cast<double>(parts[0].end), 1497, 3);
  EXPECT_EQ(parts[1], (PfnRun{parts[0].end, 2000}));
}

TEST_F(CutTest, CutsAreAtBlocks) {
  EXPECT_EQ(Cut(2, 64, {{0, 2000}})[0].end, 23 * 64u);
  EXPECT_EQ(Cut(2, 1024, {{0, 2000}})[0].end, 1024u);
  EXPECT_EQ(Cut(2, 4096, {{0, 2000}})[0].end, 0u);
}

TEST_F(CutTest, MorePartsThanBlocks) {
  std::vector<PfnRun> parts = Cut(9, 1024, {{0, 2000}});
  ASSERT_EQ(parts.size(), 9u);
  for (size_t i = 1; i < parts.size(); ++i) EXPECT_EQ(parts[i].first, parts[i - 1].end);
  EXPECT_EQ(parts.front().first, 0u);
  EXPECT_EQ(parts.back().end, 2000u);
}

TEST_F(CutTest, NothingIsKept) {
  std::vector<PfnRun> parts = Cut(3, 64, {});
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts.front().first, 0u);
  EXPECT_EQ(parts.back().end, 2000u);
}

}  // namespace
}  // namespace kdumpkit
