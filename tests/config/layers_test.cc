// SPDX-License-Identifier: GPL-2.0-or-later
// Several files, of which a later one overrides an earlier one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/parse.h"
#include "tests/config/parsing.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

ParsedConfig Layers(const std::vector<std::string>& texts) {
  std::vector<ConfigSource> sources;
  for (size_t i = 0; i < texts.size(); ++i)
    sources.push_back({std::string(1, "abcd"[i]), texts[i]});
  return ParseConfig(sources);
}

TEST(Layers, LaterFileOverrides) {
  ParsedConfig reading = Layers({"level 1\ncompression zlib\n", "level 2\n", "level 3\n"});
  EXPECT_THAT(reading.problems, IsEmpty());
  EXPECT_EQ(reading.config.level, 3u);
  EXPECT_EQ(reading.config.compression, DumpCompression::kZlib);
  EXPECT_EQ(reading.origins.at("level")[0].at.ToString(), "c:1");
}

TEST(Layers, DestinationsAreReplacedAsAWhole) {
  ParsedConfig reading =
      Layers({"destination /a\ndestination /b\n", "level 1\n", "destination /c\ndestination /a\n"});
  EXPECT_THAT(reading.problems, IsEmpty());
  ASSERT_THAT(reading.config.destinations, SizeIs(2));
  EXPECT_EQ(reading.config.destinations[0].path, "/c");
  EXPECT_EQ(reading.origins.at("destination")[1].at.ToString(), "c:2");
}

TEST(Layers, FedorasTargetsAreDestinationsToo) {
  ParsedConfig reading = Layers({"nfs h:/e\npath /x\n", "destination /b\n"});
  EXPECT_THAT(ProblemLines(reading), ElementsAre(HasSubstr("a:2: warning: 'path' has no effect")));
  EXPECT_THAT(reading.config.destinations, SizeIs(1));
  reading = Layers({"destination /a\ndestination /b\n", "ssh u@h\n"});
  ASSERT_THAT(reading.config.destinations, SizeIs(1));
  EXPECT_EQ(reading.config.destinations[0].kind, Destination::Kind::kSsh);
}

TEST(Layers, AFileWithOnlyBadDestinationsReplacesNothing) {
  ParsedConfig reading = Layers({"destination /a\n", "destination x\n"});
  EXPECT_FALSE(reading.ok());
  EXPECT_EQ(reading.config.destinations[0].path, "/a");
}

TEST(Layers, KeysAreReplacedAsAWhole) {
  ParsedConfig reading = Layers({"sshkey /a\nsshkey /b\n", "sshkey /c\n"});
  EXPECT_THAT(reading.config.ssh_identities, ElementsAre("/c"));
  EXPECT_THAT(reading.origins.at("sshkey"), SizeIs(1));
  reading = Layers({"ssh_host_key ssh-rsa AAAAx\n", "ssh_host_key none\n"});
  EXPECT_THAT(reading.config.ssh_host_keys, IsEmpty());
  EXPECT_TRUE(reading.ok());
}

TEST(Layers, WordForNothingTakesBack) {
  ParsedConfig reading =
      Layers({"kdump_pre /a\nextra_bins /b\n", "kdump_pre none\nextra_bins none\n"});
  EXPECT_EQ(reading.config.pre_hook, "");
  EXPECT_THAT(reading.config.extra_bins, IsEmpty());
}

TEST(Layers, LevelOverridesThatOfCoreCollector) {
  ParsedConfig reading =
      Layers({"core_collector makedumpfile -c --message-level 1 -d 31\n", "level 1\n"});
  EXPECT_THAT(reading.problems, IsEmpty());
  EXPECT_EQ(reading.config.level, 1u);
  EXPECT_EQ(reading.config.compression, DumpCompression::kZlib);
  EXPECT_EQ(reading.config.message_level, 1u);
}

TEST(Layers, CoreCollectorOverridesAllThatItStandsFor) {
  ParsedConfig reading =
      Layers({"level 1\nthreads 4\nmessage_level 31\n", "core_collector makedumpfile -l -d 17\n"});
  EXPECT_THAT(reading.problems, IsEmpty());
  EXPECT_EQ(reading.config.level, 17u);
  EXPECT_EQ(reading.config.threads, 0u);
  EXPECT_EQ(reading.config.message_level, 7u);
  EXPECT_EQ(reading.origins.at("level")[0].by, "core_collector");
  EXPECT_EQ(reading.origins.count("threads"), 0u);
}

TEST(Layers, SettingsBesideAnotherCollectorHaveNoEffect) {
  ParsedConfig reading = Layers({"core_collector cp --sparse=always\n", "level 1\n"});
  EXPECT_THAT(ProblemLines(reading),
              ElementsAre("b:1: error: 'level 1' has no effect: core_collector in a:1 runs 'cp'; "
                          "remove one of the lines"));
  reading = Layers({"core_collector cp\n", "core_collector makedumpfile -l -d 1\n"});
  EXPECT_TRUE(reading.ok());
  EXPECT_THAT(reading.config.collector, IsEmpty());
}

TEST(Layers, ConflictsNameTheOtherFile) {
  ParsedConfig reading = Layers({"force_rebuild 1\n", "# \nforce_no_rebuild 1\n"});
  EXPECT_THAT(ProblemLines(reading),
              ElementsAre(HasSubstr("b:2: error: 'force_no_rebuild' does not "
                                    "go with 'force_rebuild' (in a:1)")));
}

TEST(Layers, ProblemsStandInTheOrderOfTheFiles) {
  ParsedConfig reading = Layers({"path crash\nx\n", "y\n"});
  EXPECT_THAT(ProblemLines(reading),
              ElementsAre(testing::StartsWith("a:1:"), testing::StartsWith("a:2:"),
                          testing::StartsWith("b:1:")));
}

TEST(Layers, OneFileMayNotSayTwiceWhatAnotherMayOverride) {
  EXPECT_FALSE(Layers({"level 1\nlevel 2\n"}).ok());
  EXPECT_TRUE(Layers({"level 1\n", "level 2\n"}).ok());
}

}  // namespace
}  // namespace kdumpkit
