// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/compare.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/dumpfile/kdump_image.h"
#include "tests/support/fake_memory.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kPage = 4096;
const std::atomic<bool> never_stop = false;

CompareReport Compare(const MemorySource& a, const MemorySource& b, int threads = 2) {
  CompareReport report;
  CompareMemory(a, b, 12, threads, never_stop, report);
  return report;
}

TEST(Compare, EveryKindIsCountedAndNamed) {
  FakeMemory a, b;
  a.AddRange(PhysAddr(0), 20000 * kPage);
  b.AddRange(PhysAddr(2 * kPage), 20000 * kPage);
  b.Put(PhysAddr(9 * kPage + 5), uint8_t{1});
  b.Put(PhysAddr(10000 * kPage), uint8_t{1});
  FaultyMemory faulty(a);
  faulty.Fail(PhysAddr(12 * kPage), 1);
  for (int threads : {1, 3}) {
    CompareReport report = Compare(faulty, b, threads);
    EXPECT_EQ(report.same, 20000u - 2 - 3);
    EXPECT_EQ(report.different.first, (std::vector<uint64_t>{9, 10000}));
    EXPECT_EQ(report.only_a.first, (std::vector<uint64_t>{0, 1}));
    EXPECT_EQ(report.only_b.first, (std::vector<uint64_t>{20000, 20001}));
    EXPECT_EQ(report.unreadable.first, (std::vector<uint64_t>{12}));
    EXPECT_FALSE(report.equal());
  }
}

TEST(Compare, OnlyTheFirstFramesAreNamed) {
  FakeMemory a, b;
  a.AddRange(PhysAddr(0), 30000 * kPage);
  CompareReport report = Compare(a, b, 3);
  EXPECT_EQ(report.only_a.count, 30000u);
  EXPECT_EQ(report.only_a.first, (std::vector<uint64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(Compare, ThePartOfAPageThatIsNotThereIsZero) {
  FakeMemory a, b;
  a.AddRange(PhysAddr(0), kPage + 512);
  b.AddRange(PhysAddr(0), 2 * kPage);
  EXPECT_TRUE(Compare(a, b).equal());
  b.Put(PhysAddr(kPage + 600), uint8_t{1});
  EXPECT_FALSE(Compare(a, b).equal());
}

TEST(Compare, ADumpEqualsItselfWhateverTheCodec) {
  TempDir dir;
  std::string lzo = dir.Write("lzo", AsText(MakeKdumpImage({.codec = Codec::kLzo})));
  std::string zstd = dir.Write("zstd", AsText(MakeKdumpImage({.codec = Codec::kZstd})));
  CompareReport report = CompareFiles(lzo, zstd, 1, never_stop).value();
  EXPECT_TRUE(report.equal());
  EXPECT_EQ(report.same, 4u);
  EXPECT_TRUE(CompareText(report).ends_with("equal\n"));
  EXPECT_EQ(nlohmann::json::parse(CompareJson(report))["result"], "equal");
  EXPECT_FALSE(CompareFiles(lzo, dir.File("none"), 1, never_stop));
}

TEST(Compare, ALostPageIsADifference) {
  TempDir dir;
  std::string whole = dir.Write("whole", AsText(MakeKdumpImage({})));
  std::string lost = dir.Write("lost", AsText(MakeKdumpImage({.lost = true})));
  EXPECT_FALSE(CompareFiles(whole, lost, 1, never_stop)->equal());
  EXPECT_EQ(CompareFiles(lost, lost, 1, never_stop)->unreadable.first,
            std::vector<uint64_t>{kLostPage.value});
}

}  // namespace
}  // namespace kdumpkit
