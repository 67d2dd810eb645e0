// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/mem_usage.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "filter/dump.h"
#include "tests/support/temp_dir.h"
#include "tests/support/vmcore_builder.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kPage = 4096;

// Memory of fewer pages than the sample has is measured, not estimated.
TEST(MemUsage, ASmallMemoryIsExact) {
  TempDir dir;
  VmcoreBuilder builder;
  builder.AddCpu().AddSegment(PhysAddr(0), PatternBytes(100 * kPage, 1));
  builder.AddZeroSegment(PhysAddr(200 * kPage), VirtAddr(0), 300 * kPage);
  std::string path = builder.WriteTo(dir.File("core"));
  MemUsageReport report = MeasureMemory(path, 2).value();
  EXPECT_FALSE(report.classified);
  EXPECT_EQ(report.memory_pages, 400u);
  EXPECT_EQ(report.classes[0].pages, 400u);
  EXPECT_EQ(report.classes[0].sampled, 400u);
  EXPECT_EQ(report.classes[0].zero_sampled, 300u);
  EXPECT_EQ(report.excludable_pages(), 0u);
  FilterOptions options;
  options.vmcore = path;
  options.dry_run = true;
  options.message_level = 0;
  options.level = *DumpLevel::Make(1);
  std::atomic<bool> stop = false;
  for (size_t i = 0; i < kMeasuredCodecs.size(); ++i) {
    options.codec = kMeasuredCodecs[i];
    // A dry run does not count the page of zeros.
    uint64_t real = CreateDump(options, stop).value().dump_bytes;
    uint64_t estimated = report.levels[0].bytes[i];
    EXPECT_LE(std::max(real, estimated) - std::min(real, estimated), kPage)
        << CodecName(options.codec);
  }
}

TEST(MemUsage, AsTextAndAsJson) {
  TempDir dir;
  VmcoreBuilder builder;
  builder.AddSegment(PhysAddr(0), PatternBytes(10 * kPage, 1));
  MemUsageReport report = MeasureMemory(builder.WriteTo(dir.File("core")), 1).value();
  nlohmann::json json = nlohmann::json::parse(MemUsageJson(report));
  EXPECT_EQ(json["classes"]["kernel"]["bytes"], 10 * kPage);
  EXPECT_EQ(json["levels"].size(), kMeasuredLevels.size());
  EXPECT_EQ(json["levels"][11]["level"], 31);
  EXPECT_GT(json["levels"][11]["bytes"]["zstd"], 10u);
  EXPECT_NE(MemUsageText(report).find("excludable"), std::string::npos);
}

}  // namespace
}  // namespace kdumpkit
