// SPDX-License-Identifier: GPL-2.0-or-later
// What the capture reads out of texts: the log, the filter's report, /proc/meminfo, folder names.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "capture/dmesg.h"
#include "capture/guard.h"
#include "capture/json.h"
#include "capture/manifest.h"
#include "capture/memory_gauge.h"
#include "capture/room.h"
#include "capture/step_progress.h"
#include "capture/stream_check.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(DmesgReader, KnowsKernelAndReason) {
  DmesgReader reader;
  for (const char* piece :
       {"[    0.000000] Linux version 6.1.0-18-amd",
        "64 (x@y) #1\n[    9.1] BUG: unable to handle\n",
        "[   10.0] Kernel panic - not syncing: Fatal exception\n[   10.1] CPU: 0"})
    reader.Feed(AsBytes(piece));
  EXPECT_EQ(reader.tail().size(), 3u);
  reader.End();
  EXPECT_EQ(reader.release(), "6.1.0-18-amd64");
  EXPECT_EQ(reader.panic(), "Fatal exception");
  EXPECT_EQ(reader.tail().back(), "[   10.1] CPU: 0");
}
TEST(DmesgReader, OopsStandsForAPanicThatWasNotLogged) {
  DmesgReader reader;
  reader.Feed(AsBytes("[    9.1] Oops: 0002 [#1]\n[    9.2] BUG: later\n"));
  EXPECT_EQ(reader.panic(), "Oops: 0002 [#1]");
}
TEST(DmesgReader, KeepsTheLastLinesOnly) {
  DmesgReader reader;
  for (int i = 0; i < 200; ++i) reader.Feed(AsBytes(fmt::format("{}\n", i)));
  EXPECT_EQ(reader.tail().size(), 80u);
  EXPECT_EQ(reader.tail().front(), "120");
  reader.Feed(ByteBuffer(1 << 20, std::byte{'x'}));
  reader.End();
  EXPECT_EQ(reader.tail().back().size(), 1024u);
}

TEST(Json, TextIsEscaped) {
  EXPECT_EQ(JsonText("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000a\"");
  EXPECT_EQ(JsonText("\xc3\xa4\xff\xc3"), "\"\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\"");
}
TEST(Json, AnyBytesMakeValidJson) {
  for (int first = 0; first < 256; ++first)
    for (int second : {0, 0x22, 0x41, 0x80, 0xa0, 0xbf, 0xc3, 0xed}) {
      std::string text = {static_cast<char>(first), static_cast<char>(second), '\x80'};
      EXPECT_TRUE(nlohmann::json::accept(JsonText(text))) << first << " " << second;
    }
}
TEST(Json, MembersOfTheOutermostObject) {
  constexpr std::string_view kText = R"({
    "a": 12,
    "b": {"a": [1, 2], "x": "}, \"a\": 3"},
    "c": "te,xt" , "d": [{"a": 1}, {}], "e": null })";
  EXPECT_EQ(JsonNumber(kText, "a"), 12u);
  EXPECT_EQ(JsonMember(kText, "b"), R"({"a": [1, 2], "x": "}, \"a\": 3"})");
  EXPECT_EQ(JsonMember(kText, "c"), R"("te,xt")");
  EXPECT_EQ(JsonMember(kText, "d"), R"([{"a": 1}, {}])");
  EXPECT_EQ(JsonMember(kText, "e"), "null");
  EXPECT_FALSE(JsonMember(kText, "x"));
  EXPECT_FALSE(JsonNumber(kText, "c"));
}
TEST(Json, CutTextHasNoMembersThatAreNotThere) {
  constexpr std::string_view kText = R"({"a": {"b": [1, "x"]}, "c": 5})";
  for (size_t size = 0; size < kText.size(); ++size) {
    std::optional<uint64_t> number = JsonNumber(kText.substr(0, size), "c");
    EXPECT_TRUE(!number || size >= kText.size() - 1) << size;
  }
}

Manifest SomeManifest() {
  Manifest manifest;
  manifest.host = "db\"1";
  manifest.panic = "sysrq triggered crash";
  manifest.time = 1700000000;
  manifest.outcome = "complete";
  manifest.filter_json = R"({"page_size": 4096, "classes": {"free": {"kept": 0, "dropped": 7}},
                             "warnings": ["one", "two"], "bytes": 9})";
  manifest.level = 31;
  manifest.compression = "lzo";
  manifest.files = {{"vmcore", {5, "ab"}, Verified::kSample}};
  manifest.memory_total = 1000;
  manifest.warnings = {"zero"};
  manifest.destinations = {{"ssh://h/x", "failed", "no route", 1.5}, {"UUID=1:/", "used", "", 2}};
  return manifest;
}

TEST(Manifest, IsJsonWithWhatIsKnown) {
  nlohmann::json json = nlohmann::json::parse(ManifestText(SomeManifest()));
  EXPECT_EQ(json["format"], 1);
  EXPECT_EQ(json["host"], "db\"1");
  EXPECT_EQ(json["time"], "2023-11-14T22:13:20Z");
  EXPECT_FALSE(json.contains("test_id"));
  EXPECT_EQ(json["pages"]["classes"]["free"]["dropped"], 7);
  EXPECT_EQ(json["pages"]["page_size"], 4096);
  EXPECT_EQ(json["files"][0]["verified"], "sample");
  EXPECT_EQ(json["files"][0]["size"], 5);
  EXPECT_EQ(json["memory"]["total"], 1000);
  EXPECT_EQ(json["warnings"], (nlohmann::json{"zero", "one", "two"}));
  EXPECT_EQ(json["destinations"][0]["reason"], "no route");
  EXPECT_EQ(json["destinations"][1]["outcome"], "used");
  EXPECT_THAT(json["version"], HasSubstr("kdump-capture "));
}
TEST(Manifest, WithoutADump) {
  Manifest manifest;
  manifest.test_id = "t1";
  nlohmann::json json = nlohmann::json::parse(ManifestText(manifest));
  EXPECT_EQ(json["test_id"], "t1");
  EXPECT_TRUE(json["pages"].empty());
  EXPECT_TRUE(json["files"].empty());
}

TEST(StepProgress, LineHasPercentAndTimeLeft) {
  EXPECT_EQ(StepProgressLine("reading", 25, 100, std::chrono::seconds(21)),
            "[ 25.0 %] reading  ETA 1:03");
  EXPECT_EQ(StepProgressLine("reading", 0, 100, std::chrono::seconds(21)), "[  0.0 %] reading");
  EXPECT_EQ(StepProgressLine("reading", 5, 5, std::chrono::seconds(1)), "[100.0 %] reading");
}

TEST(MemoryGauge, KeepsTheLowestFigure) {
  TempDir dir;
  RootDir root = *RootDir::Open(dir.path());
  MemoryGauge gauge(root);
  EXPECT_EQ(gauge.lowest_available(), 0u);
  dir.Write("proc/meminfo", "MemTotal:   100 kB\nMemFree: 1 kB\nMemAvailable:  40 kB\n");
  gauge.Sample();
  EXPECT_EQ(gauge.total(), 100u << 10);
  EXPECT_EQ(gauge.lowest_available(), 40u << 10);
  // Not looked at again within a second.
  dir.Write("proc/meminfo", "MemTotal:   100 kB\nMemAvailable:  30 kB\n");
  gauge.Sample();
  EXPECT_EQ(gauge.lowest_available(), 40u << 10);
}

TEST(EstimateRoom, DependsOnFreePages) {
  constexpr uint64_t kGiB = uint64_t{1} << 30;
  constexpr uint64_t kMinimum = uint64_t{64} << 20;
  EXPECT_EQ(EstimateRoom(100 * kGiB, 31), kMinimum + 10 * kGiB);
  EXPECT_EQ(EstimateRoom(100 * kGiB, 16), kMinimum + 10 * kGiB);
  EXPECT_EQ(EstimateRoom(100 * kGiB, 15), kMinimum + 50 * kGiB);
  EXPECT_EQ(EstimateRoom(0, 0), kMinimum);
}
TEST(SpaceLadder, HasOnlyStepsThatDiffer) {
  Config config;
  config.level = 1;
  EXPECT_THAT(SpaceLadder(config), ElementsAre(DumpChoice{1, DumpCompression::kLzo},
                                               DumpChoice{31, DumpCompression::kLzo},
                                               DumpChoice{31, DumpCompression::kZstd}));
  config.level = 31;
  config.compression = DumpCompression::kZstd;
  EXPECT_EQ(SpaceLadder(config).size(), 1u);
  config.level = 0;
  config.collector = {"other"};
  EXPECT_EQ(SpaceLadder(config).size(), 1u);
}

TEST(DumpFolder, NameAndTime) {
  CaptureConfig config;
  config.host = "db-1";
  std::string name = DumpFolderName(config, 1700000000);
  EXPECT_EQ(name, "db-1-2023-11-14-22:13:20");
  EXPECT_EQ(TimeOfFolder(name, "db-1"), 1700000000);
  EXPECT_EQ(TimeOfFolder(name + "-2", "db-1"), 1700000000);
  EXPECT_FALSE(TimeOfFolder(name, "db"));
  EXPECT_FALSE(TimeOfFolder("db-1-notes", "db-1"));
  EXPECT_FALSE(TimeOfFolder("kdump-test-1", "db-1"));
  config.test_id = "1";
  EXPECT_EQ(DumpFolderName(config, 1700000000), "kdump-test-1");
}
TEST(RecentDumps, CountsThisHostWithinTheWindow) {
  std::vector<std::string> names = {"a-2023-11-14-22:13:20", "a-2023-11-14-22:13:20-2",
                                    "a-2023-11-14-21:00:00", "b-2023-11-14-22:13:20",
                                    "a-2023-11-14-22:30:00", "lost+found"};
  EXPECT_EQ(RecentDumps(names, "a", 1700000000, std::chrono::hours(1)), 3u);
  EXPECT_EQ(RecentDumps(names, "a", 1700000000, std::chrono::hours(2)), 4u);
}

class StreamCheckTest : public testing::Test {
 protected:
  static ByteBuffer Flat() {
    ByteWriter out(ByteOrder::kBig);
    out.PutText("makedumpfile", 16);
    out.Put<uint64_t>(1);
    out.Put<uint64_t>(1);
    out.PadTo(5000);
    out.Put<uint64_t>(~uint64_t{0});
    out.Put<uint64_t>(~uint64_t{0});
    return std::move(out).Take();
  }
  static Status Check(ByteView bytes, size_t piece) {
    StreamCheck check;
    for (size_t at = 0; at < bytes.size(); at += piece)
      check.Feed(bytes.subspan(at, std::min(piece, bytes.size() - at)));
    return check.Check();
  }
};
TEST_F(StreamCheckTest, WholeStreamInPiecesOfAnySize) {
  for (size_t piece : {1U, 7U, 15U, 16U, 17U, 4096U, 10000U})
    EXPECT_TRUE(Check(Flat(), piece)) << piece;
}
TEST_F(StreamCheckTest, NoPrefixIsWhole) {
  ByteBuffer flat = Flat();
  for (size_t size = 0; size < flat.size(); ++size)
    ASSERT_FALSE(Check(ByteView(flat).first(size), 999)) << size;
}
TEST_F(StreamCheckTest, EachFieldIsLookedAt) {
  for (size_t at : {0U, 11U, 15U, 23U, 31U, 5000U, 5015U}) {
    ByteBuffer flat = Flat();
    flat[at] ^= std::byte{1};
    EXPECT_FALSE(Check(flat, 4096)) << at;
  }
}

}  // namespace
}  // namespace kdumpkit
