// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "filter/progress.h"

namespace kdumpkit {
namespace {

DumpReport SmallReport() {
  DumpReport report;
  report.vmcore = "/proc/vmcore";
  report.dump = "out\xff";
  report.completeness = Completeness::kPartial;
  report.level = report.requested_level = 31;
  report.codec = Codec::kLzo;
  report.page_size = 4096;
  report.existing_pages = 512;
  report.kept_pages = 256;
  report.classes[static_cast<size_t>(PageClass::kFree)].dropped = 256;
  report.free_found = 256;
  report.stream.unreadable_pages = 2;
  report.stream.unreadable = {{PhysAddr(0x3000), 0x2000}};
  report.stream.unreadable_reason = "Input/output error";
  report.dump_bytes = 1 << 20;
  report.warnings = {"something \"odd\""};
  return report;
}

TEST(Report, JsonHoldsWhatPeopleCount) {
  nlohmann::json json = nlohmann::json::parse(ReportJson(SmallReport()));
  EXPECT_EQ(json["result"], "partial");
  EXPECT_EQ(json["classes"]["free"]["dropped"], 256);
  EXPECT_EQ(json["unreadable"][0]["address"], 0x3000);
  EXPECT_EQ(json["warnings"][0], "something \"odd\"");
  EXPECT_EQ(json["free_pages_found"], 256);
  EXPECT_TRUE(json["free_pages_counted"].is_null());
}

TEST(Report, TextNamesUnreadableAddressesAndTheDump) {
  std::string text = ReportText(SmallReport());
  EXPECT_NE(text.find("2 pages could not be read (Input/output error): 0x3000-0x4fff\n"),
            std::string::npos);
  EXPECT_NE(text.find("partial dump 'out"), std::string::npos);
  EXPECT_NE(text.find("50.0 % of memory"), std::string::npos);
}

TEST(Progress, LineHasRateAndEta) {
  EXPECT_EQ(ProgressLine(250, 1000, 4096, std::chrono::seconds(1)),
            "[ 25.0 %] 250/1000 pages  1 MB/s  ETA 0:03");
  EXPECT_EQ(ProgressLine(0, 1000, 4096, std::chrono::seconds(0)), "[  0.0 %] 0/1000 pages");
  EXPECT_EQ(ProgressLine(0, 0, 4096, std::chrono::seconds(0)), "[100.0 %] 0/0 pages");
}

}  // namespace
}  // namespace kdumpkit
