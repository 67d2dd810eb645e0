// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/dumpfile/kdump_image.h"
#include "tests/support/temp_dir.h"
#include "tests/support/vmcore_builder.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

TEST(Info, OfADump) {
  TempDir dir;
  InfoReport report = DescribeFile(dir.Write("dump", AsText(MakeKdumpImage({})))).value();
  EXPECT_EQ(report.format, "kdump-compressed");
  EXPECT_EQ(report.format_version, 6);
  EXPECT_EQ(report.compression, "zlib");
  EXPECT_EQ(report.memory_pages, 24u);
  EXPECT_EQ(report.dumped_pages, 4u);
  EXPECT_EQ(report.lost_pages, 0u);
  EXPECT_EQ(report.page_size, kImageBlock);
  EXPECT_EQ(report.vmcoreinfo_bytes, kImageVmcoreinfo.size());
  EXPECT_FALSE(report.incomplete);
  EXPECT_THAT(InfoText(report), HasSubstr("pages         4 of 24 in the file"));
  EXPECT_EQ(nlohmann::json::parse(InfoJson(report))["complete"], true);
}

TEST(Info, OfAnIncompleteDump) {
  TempDir dir;
  InfoReport report =
      DescribeFile(dir.Write("dump", AsText(MakeKdumpImage({.lost = true})))).value();
  EXPECT_TRUE(report.incomplete);
  EXPECT_EQ(report.lost_pages, 1u);
  EXPECT_THAT(InfoText(report), HasSubstr("1 lost"));
}

TEST(Info, OfAnElfCore) {
  TempDir dir;
  VmcoreBuilder builder;
  builder.AddCpu().AddCpu().AddSegment(PhysAddr(0), PatternBytes(3 * 4096 + 1, 1));
  std::string path = builder.WriteTo(dir.File("core"));
  InfoReport report = DescribeFile(path).value();
  EXPECT_EQ(report.format, "ELF core");
  EXPECT_EQ(report.machine, "x86_64");
  EXPECT_EQ(report.segments, 1u);
  EXPECT_EQ(report.cpus, 2u);
  EXPECT_EQ(report.memory_pages, 4u);
  EXPECT_EQ(report.notes.at("CORE").count, 2u);
  EXPECT_EQ(report.notes.at("CORE").bytes, 2 * 336u);
  EXPECT_EQ(report.file_bytes, builder.FileSize());
  EXPECT_THAT(InfoText(report), HasSubstr("2 CORE (672 bytes)"));
}

TEST(Info, OfWhatIsNoDump) {
  TempDir dir;
  EXPECT_FALSE(DescribeFile(dir.Write("text", "some text")));
  EXPECT_FALSE(DescribeFile(dir.File("none")));
}

}  // namespace
}  // namespace kdumpkit
