// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/value_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr seconds kNone{0};
constexpr seconds kYear{366 * 86400};

Result<seconds> Duration(std::string_view text) { return ParseDuration(text, kNone, kYear); }

TEST(ValueText, Flags) {
  for (std::string_view yes : {"yes", "1", "true", "on"}) EXPECT_TRUE(*ParseFlag(yes));
  for (std::string_view no : {"no", "0", "false", "off"}) EXPECT_FALSE(*ParseFlag(no));
  for (std::string_view bad : {"", "Yes", "2", "y"}) EXPECT_FALSE(ParseFlag(bad).has_value());
}

TEST(ValueText, Counts) {
  EXPECT_EQ(*ParseCount("0", 0, 31), 0u);
  EXPECT_EQ(*ParseCount("31", 0, 31), 31u);
  for (std::string_view bad : {"", "32", "-1", "+1", "1x", " 1", "0x1", "99999999999"})
    EXPECT_FALSE(ParseCount(bad, 0, 31).has_value()) << bad;
  EXPECT_EQ(ParseCount("0", 1, 31).error().message(), "a whole number from 1 to 31 is wanted");
}

TEST(ValueText, Sizes) {
  EXPECT_EQ(*ParseSize("0"), 0u);
  EXPECT_EQ(*ParseSize("512K"), 512u << 10);
  EXPECT_EQ(*ParseSize("64M"), 64u << 20);
  EXPECT_EQ(*ParseSize("64MB"), 64u << 20);
  EXPECT_EQ(*ParseSize("64MiB"), 64u << 20);
  EXPECT_EQ(*ParseSize("2G"), uint64_t{2} << 30);
  EXPECT_EQ(*ParseSize("1T"), uint64_t{1} << 40);
  EXPECT_EQ(*ParseSize("17B"), 17u);
  for (std::string_view bad :
       {"", "M", "64", "1.5G", "-1M", "64 M", "64X", "99999999999999999999M", "20000000T"})
    EXPECT_FALSE(ParseSize(bad).has_value()) << bad;
  EXPECT_THAT(ParseSize("64").error().message(), HasSubstr("needs a unit: 64K, 64M, 64G"));
  EXPECT_THAT(ParseSize("20000000T").error().message(), HasSubstr("64 bits"));
}

TEST(ValueText, Durations) {
  EXPECT_EQ(*Duration("0"), kNone);
  EXPECT_EQ(*Duration("30"), seconds(30));
  EXPECT_EQ(*Duration("30s"), seconds(30));
  EXPECT_EQ(*Duration("10min"), seconds(600));
  EXPECT_EQ(*Duration("10m"), seconds(600));
  EXPECT_EQ(*Duration("1h30min"), seconds(5400));
  EXPECT_EQ(*Duration("1h30min5s"), seconds(5405));
  EXPECT_EQ(*Duration("7d"), seconds(7 * 86400));
  EXPECT_EQ(*Duration("2w"), seconds(14 * 86400));
  for (std::string_view bad :
       {"", "s", "x", "1x", "1h30", "-1", "1.5h", "1 h", "min", "99999999999999999999",
        "18446744073709551615w", "18446744073709551615s1s"})
    EXPECT_FALSE(Duration(bad).has_value()) << bad;
}

TEST(ValueText, DurationRange) {
  EXPECT_EQ(ParseDuration("1h", seconds(1), seconds(60)).error().message(),
            "it must be from 1s to 1min");
  EXPECT_FALSE(ParseDuration("0", seconds(1), seconds(60)).has_value());
  EXPECT_TRUE(ParseDuration("60", seconds(1), seconds(60)).has_value());
}

TEST(ValueText, WhatIsWrittenIsReadBack) {
  for (uint64_t bytes :
       {uint64_t{0}, uint64_t{1}, uint64_t{1023}, uint64_t{1024}, uint64_t{64} << 20,
        (uint64_t{1} << 30) + 1, UINT64_MAX, uint64_t{3} << 40})
    EXPECT_EQ(*ParseSize(FormatSize(bytes)), bytes);
  for (int64_t count : {0, 1, 59, 60, 61, 3600, 5400, 86400, 604800, 31622400})
    EXPECT_EQ(*Duration(FormatDuration(seconds(count))), seconds(count));
  EXPECT_EQ(FormatDuration(seconds(604800)), "7d");
  EXPECT_EQ(FormatSize(uint64_t{64} << 20), "64M");
}

TEST(ValueText, PercentDecoding) {
  EXPECT_EQ(*PercentDecode("/a%20b%2Fc%25"), "/a b/c%");
  EXPECT_EQ(*PercentDecode("/a%2fb"), "/a/b");
  for (std::string_view bad : {"%", "a%2", "%zz", "%0a", "%00", "%7f"})
    EXPECT_FALSE(PercentDecode(bad).has_value()) << bad;
  EXPECT_EQ(*PercentDecode(PercentEncode("100% \"x\"\t")), "100% \"x\"\t");
}

}  // namespace
}  // namespace kdumpkit
