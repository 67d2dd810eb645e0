// SPDX-License-Identifier: GPL-2.0-or-later
// The table itself: every row can be read, and is written as it is read.
#include "config/directives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/config/parsing.h"

namespace kdumpkit {
namespace {

using testing::IsEmpty;

std::string LineOf(const Directive& directive, const std::string& value) {
  return fmt::format("{} {}\n", directive.name, value);
}

TEST(Directives, NamesStandOnce) {
  std::set<std::string_view> names;
  for (const Directive& directive : Directives()) EXPECT_TRUE(names.insert(directive.name).second);
  EXPECT_GT(names.size(), 60u);
}

TEST(Directives, EveryOneIsExplained) {
  for (const Directive& directive : Directives()) {
    EXPECT_FALSE(directive.help.empty()) << directive.name;
    bool removed = directive.role == Role::kRemoved;
    EXPECT_EQ(directive.argument.empty(), removed) << directive.name;
    bool obsolete = removed || directive.role == Role::kRenamed;
    EXPECT_EQ(directive.help.ends_with('.'), !obsolete) << directive.name;
    EXPECT_EQ(directive.group == Group::kObsolete, obsolete) << directive.name;
  }
}

TEST(Directives, FieldsAreOfTheRole) {
  std::set<size_t> kinds;
  for (const Directive& directive : Directives()) {
    bool value = directive.role == Role::kValue;
    EXPECT_EQ(directive.field.index() != 0, value) << directive.name;
    kinds.insert(directive.field.index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Field>);
}

TEST(Directives, DefaultsAreReadAsTheyAreWritten) {
  const Config defaults;
  for (const Directive& directive : Directives()) {
    if (directive.role != Role::kValue) continue;
    std::vector<std::string> texts = FieldTexts(directive, defaults);
    ASSERT_FALSE(texts.empty()) << directive.name;
    ParsedConfig reading = Parse(LineOf(directive, texts[0]));
    EXPECT_TRUE(reading.ok()) << LineOf(directive, texts[0]);
    reading.config.destinations.clear();
    EXPECT_EQ(reading.config, defaults) << directive.name;
  }
}

// The word for nothing is in the usage, is taken, and is what is written for nothing.
TEST(Directives, WordsForNothing) {
  for (const Directive& directive : Directives()) {
    if (directive.zero.empty()) continue;
    std::string zero(directive.zero);
    ParsedConfig reading = Parse(LineOf(directive, zero));
    EXPECT_TRUE(reading.ok()) << directive.name;
    EXPECT_EQ(FieldTexts(directive, reading.config)[0], zero) << directive.name;
    bool shown = directive.repeatable || directive.argument.ends_with("|" + zero);
    EXPECT_TRUE(shown) << directive.name;
  }
}

TEST(Directives, EveryWordOfAnEnumeration) {
  int words = 0;
  for (const Directive& directive : Directives()) {
    std::string usage;
    for (std::string_view word : AllowedWords(directive)) {
      ParsedConfig reading = Parse(LineOf(directive, std::string(word)));
      EXPECT_TRUE(reading.ok()) << directive.name << " " << word;
      EXPECT_EQ(FieldTexts(directive, reading.config)[0], word) << directive.name;
      usage += fmt::format("{}{}", usage.empty() ? "" : "|", word);
      ++words;
    }
    if (!usage.empty()) {
      EXPECT_EQ(directive.argument, usage) << directive.name;
    }
  }
  EXPECT_EQ(words, 5 + 2 + 4 + 5 + 2 + 4);
}

TEST(Directives, RangesAreKept) {
  for (const Directive& directive : Directives()) {
    if (!std::holds_alternative<unsigned Config::*>(directive.field)) continue;
    EXPECT_GT(directive.high, directive.low) << directive.name;
    EXPECT_TRUE(Parse(LineOf(directive, std::to_string(directive.low))).ok()) << directive.name;
    EXPECT_TRUE(Parse(LineOf(directive, std::to_string(directive.high))).ok()) << directive.name;
    EXPECT_FALSE(Parse(LineOf(directive, std::to_string(directive.high + 1))).ok());
  }
}

TEST(Directives, DurationsKeepTheirRange) {
  for (const Directive& directive : Directives()) {
    if (!std::holds_alternative<std::chrono::seconds Config::*>(directive.field)) continue;
    for (unsigned good : {directive.low, directive.high})
      EXPECT_TRUE(Parse(LineOf(directive, std::to_string(good))).ok()) << directive.name;
    EXPECT_FALSE(Parse(LineOf(directive, std::to_string(uint64_t{directive.high} + 1))).ok());
    if (directive.low > 1) {
      EXPECT_FALSE(Parse(LineOf(directive, std::to_string(directive.low - 1))).ok());
    }
  }
}

TEST(Directives, FedorasAreAllThere) {
  for (std::string_view name : {"auto_reset_crashkernel",
                                "raw",
                                "nfs",
                                "ssh",
                                "sshkey",
                                "ext2",
                                "ext3",
                                "ext4",
                                "xfs",
                                "btrfs",
                                "minix",
                                "virtiofs",
                                "path",
                                "core_collector",
                                "kdump_pre",
                                "kdump_post",
                                "kdump_emergency",
                                "extra_bins",
                                "extra_modules",
                                "failure_action",
                                "default",
                                "final_action",
                                "force_rebuild",
                                "force_no_rebuild",
                                "dracut_args",
                                "fence_kdump_nodes",
                                "fence_kdump_args",
                                "net",
                                "options",
                                "link_delay",
                                "disk_timeout",
                                "debug_mem_level",
                                "blacklist"})
    EXPECT_NE(FindDirective(name), nullptr) << name;
}

}  // namespace
}  // namespace kdumpkit
