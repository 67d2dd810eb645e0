// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/log_output.h"

#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

TEST(LogLevels, NamesNumbersAndAllAbove) {
  const std::pair<std::string_view, unsigned> cases[] = {
      {"emerg", 0x01},  {"err", 0x08}, {"3", 0x08},       {"err,warn", 0x18}, {"warn+", 0x1f},
      {"debug+", 0xff}, {"0+", 0x01},  {"emerg,7", 0x81}, {"err+,7", 0x8f}};
  for (const auto& [text, levels] : cases) EXPECT_EQ(ParseLogLevels(text).value(), levels) << text;
}

TEST(LogLevels, OthersAreRefused) {
  for (std::string_view text : {"", ",", "err,", "8", "-1", "fatal", "err warn", "+", "03"}) {
    auto levels = ParseLogLevels(text);
    ASSERT_FALSE(levels) << text;
    EXPECT_EQ(levels.error().kind(), ErrorKind::kUsage);
  }
}

TEST(LogLevels, ARecordOfUnknownLevelIsShown) {
  EXPECT_TRUE(HasLogLevel({}, 0x01));
  LogRecord record;
  record.level = 6;
  EXPECT_FALSE(HasLogLevel(record, 0x3f));
  EXPECT_TRUE(HasLogLevel(record, 0x40));
}

TEST(LogJson, OneObjectALine) {
  LogRecord record{7, 1'234'567, 3, 1, 0x80000001, "say \"hi\"\nto \xff"};
  record.device.emplace_back("SUBSYSTEM", "pci");
  EXPECT_EQ(LogRecordJson(record),
            "{\"seq\":7,\"time_ns\":1234567,\"level\":3,\"facility\":1,\"caller\":\"C1\","
            "\"device\":{\"SUBSYSTEM\":\"pci\"},\"text\":\"say \\\"hi\\\"\\nto \xef\xbf\xbd\"}\n");
  EXPECT_EQ(LogRecordJson({}),
            "{\"seq\":null,\"time_ns\":null,\"level\":null,\"facility\":null,\"caller\":null,"
            "\"device\":{},\"text\":\"\"}\n");
}

}  // namespace
}  // namespace kdumpkit
