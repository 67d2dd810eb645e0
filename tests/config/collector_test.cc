// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

using testing::HasSubstr;

CollectorSettings Apart(const std::vector<std::string>& words) {
  auto settings = TakeApartCollector(words);
  EXPECT_TRUE(settings.has_value() && settings->has_value());
  return settings && *settings ? **settings : CollectorSettings{};
}
bool IsOtherProgram(const std::vector<std::string>& words) {
  auto settings = TakeApartCollector(words);
  return settings.has_value() && !settings->has_value();
}

TEST(Collector, FedorasDefault) {
  CollectorSettings settings = Apart({"makedumpfile", "-l", "--message-level", "7", "-d", "31"});
  EXPECT_EQ(settings.level, 31u);
  EXPECT_EQ(settings.compression, DumpCompression::kLzo);
  EXPECT_EQ(settings.message_level, 7u);
  EXPECT_FALSE(settings.flattened);
  EXPECT_EQ(settings.threads, std::nullopt);
}

TEST(Collector, WhatIsNotThereIsMakedumpfilesDefault) {
  CollectorSettings settings = Apart({"/usr/sbin/makedumpfile"});
  EXPECT_EQ(settings.level, 0u);
  EXPECT_EQ(settings.compression, DumpCompression::kNone);
}

TEST(Collector, OptionsInAllForms) {
  CollectorSettings settings = Apart({"kdump-filter", "-cFd17", "--num-threads=4", "-f"});
  EXPECT_EQ(settings.level, 17u);
  EXPECT_EQ(settings.compression, DumpCompression::kZlib);
  EXPECT_TRUE(settings.flattened);
  EXPECT_EQ(settings.threads, 4u);
  EXPECT_EQ(Apart({"makedumpfile", "-c", "-z"}).compression, DumpCompression::kZstd);
  EXPECT_EQ(Apart({"makedumpfile", "-p"}).compression, DumpCompression::kSnappy);
  EXPECT_EQ(Apart({"makedumpfile", "--num-threads", "0"}).threads, 1u);
  EXPECT_EQ(Apart({"makedumpfile", "-D"}).message_level, 15u);
  EXPECT_EQ(Apart({"makedumpfile", "--message-level", "1", "-D"}).message_level, 9u);
}

TEST(Collector, OtherProgramsAreKept) {
  EXPECT_TRUE(IsOtherProgram({"cp", "--sparse=always"}));
  EXPECT_TRUE(IsOtherProgram({"scp"}));
  EXPECT_TRUE(IsOtherProgram({"/opt/makedumpfile-wrapper", "-d", "31"}));
}

TEST(Collector, OptionsThatNoSettingHoldsAreKept) {
  for (std::string option :
       {"-E", "-X", "-e", "--split", "--config", "operand", "--num-thr", "-d17,31"})
    EXPECT_TRUE(IsOtherProgram({"makedumpfile", "-l", option})) << option;
}

TEST(Collector, BadArgumentsAreErrors) {
  EXPECT_THAT(TakeApartCollector({"makedumpfile", "-d", "32"}).error().message(),
              HasSubstr("'-d 32': a whole number from 0 to 31"));
  EXPECT_THAT(TakeApartCollector({"makedumpfile", "-d"}).error().message(),
              HasSubstr("'-d' has no argument"));
  EXPECT_FALSE(TakeApartCollector({"makedumpfile", "--message-level", "x"}).has_value());
  EXPECT_FALSE(TakeApartCollector({"makedumpfile", "--num-threads", "-1"}).has_value());
  EXPECT_FALSE(TakeApartCollector({}).has_value());
}

}  // namespace
}  // namespace kdumpkit
