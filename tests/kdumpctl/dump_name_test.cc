// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/dump_name.h"

#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

TEST(DumpName, Layouts) {
  const struct {
    std::string_view name;
    DumpLayout layout;
    std::string_view host;
    std::string_view time;  // UTC
  } kCases[] = {
      {"127.0.0.1-2026-11-24-17:44:12", DumpLayout::kDated, "127.0.0.1", "2026-11-24T17:44:12Z"},
      {"my-host-2026-11-24-17:44:12-2", DumpLayout::kDated, "my-host", "2026-11-24T17:44:12Z"},
      {"fe80::1-2026-11-24-17:44:12", DumpLayout::kDated, "fe80::1", "2026-11-24T17:44:12Z"},
      {"2026-11-24-17-44", DumpLayout::kSuse, "", "2026-11-24T17:44:00Z"},
      {"web1-2026-11-24-17-44", DumpLayout::kSuse, "web1", "2026-11-24T17:44:00Z"},
      {"2026-11-24-17:44", DumpLayout::kSuse, "", "2026-11-24T17:44:00Z"},
  };
  for (const auto& [name, layout, host, time] : kCases) {
    std::optional<DumpName> found = ParseDumpName(name);
    ASSERT_TRUE(found.has_value()) << name;
    EXPECT_EQ(found->layout, layout) << name;
    EXPECT_EQ(found->host, host) << name;
    EXPECT_EQ(TimeText(found->time), time) << name;
  }
}

TEST(DumpName, DebianHasLocalTime) {
  std::optional<DumpName> found = ParseDumpName("web1-202611241744");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->layout, DumpLayout::kDebian);
  EXPECT_EQ(found->host, "web1");
  tm local = {};
  localtime_r(&found->time, &local);
  EXPECT_EQ(local.tm_hour, 17);
  EXPECT_EQ(local.tm_mday, 24);
  EXPECT_TRUE(ParseDumpName("202611241744").has_value());
}

TEST(DumpName, Test) {
  std::optional<DumpName> found = ParseDumpName("kdump-test-1764-a");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->layout, DumpLayout::kTest);
  EXPECT_EQ(found->test_id, "1764-a");
}

TEST(DumpName, OthersAreNone) {
  for (std::string_view name :
       {"", "lost+found", "2026", "kdump-test-", "2026-11-24-17:44:12", "-2026-11-24-17:44:12",
        "h-2026-13-24-17:44:12", "h-2026-11-24-24:44:12", "h-2026-11-24-17:44:1x",
        "h_2026-11-24-17:44:12", "h-2026-11-24-17:44:12-x", "h-2026-11-24-17:44:12-",
        "x202611241744", "202613241744", "20261124174400",
        "linux-image-6.1.0-50-amd64-202611241744.crash"})
    EXPECT_FALSE(ParseDumpName(name).has_value()) << name;
}

TEST(DumpName, TimeTexts) {
  EXPECT_EQ(TimeText(ParseTimeText("2026-11-24T17:44:12Z")), "2026-11-24T17:44:12Z");
  EXPECT_EQ(TimeText(ParseTimeText("2026-11-24T17:44:12.25Z")), "2026-11-24T17:44:12Z");
  EXPECT_EQ(ParseTimeText("2026-11-24 17:44:12"), 0);
  EXPECT_EQ(ParseTimeText(""), 0);
  EXPECT_EQ(TimeText(0), "");
}

}  // namespace
}  // namespace kdumpkit
