// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/nearest.h"

#include <gtest/gtest.h>

#include <string>

#include "config/suggest.h"

namespace kdumpkit {
namespace {

TEST(Nearest, Distance) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("path", "path"), 0u);
  EXPECT_EQ(EditDistance("PATH", "path"), 0u);
  EXPECT_EQ(EditDistance("pth", "path"), 1u);
  EXPECT_EQ(EditDistance("paath", "path"), 1u);
  EXPECT_EQ(EditDistance("pxth", "path"), 1u);
  EXPECT_EQ(EditDistance("ptah", "path"), 1u);  // neighbours swapped
  EXPECT_EQ(EditDistance("", "path"), 4u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
}

TEST(Nearest, TypingMistakesOnly) {
  constexpr std::string_view kNames[] = {"path", "level", "raw"};
  EXPECT_EQ(Nearest("levle", kNames), "level");
  EXPECT_EQ(Nearest("rwa", kNames), "raw");
  EXPECT_EQ(Nearest("compression", kNames), "");
  EXPECT_EQ(Nearest("xyz", kNames), "");
  EXPECT_EQ(Nearest("", kNames), "");
  EXPECT_EQ(Nearest(std::string(100000, 'p'), kNames), "");
}

TEST(Nearest, SuggestionForADirective) {
  EXPECT_EQ(SuggestName("corecollector"), "did you mean 'core_collector'?");
  EXPECT_EQ(SuggestName("sshkye"), "did you mean 'sshkey'?");
  EXPECT_EQ(SuggestName("zzzzzz"), "kdump.conf(5) lists all directives");
}

TEST(Nearest, SuggestionForWhatOthersCallIt) {
  EXPECT_EQ(SuggestName("KDUMP_DUMPLEVEL"), "did you mean 'level'?");
  EXPECT_EQ(SuggestName("HOSTTAG"), "did you mean 'host_tag'?");
  // Part of a name is not the name.
  EXPECT_EQ(SuggestName("DUMPLEVEL_X"), "kdump.conf(5) lists all directives");
}

TEST(Nearest, SuggestionForAnAssignment) {
  EXPECT_EQ(SuggestName("level=17"), "write 'level 17', without '='");
  EXPECT_EQ(SuggestName("KDUMP_SAVEDIR=/x"), "write 'destination /x', without '='");
  EXPECT_EQ(SuggestName("qqqqqqqq=1"), "a directive and its value stand side by side, without '='");
}

}  // namespace
}  // namespace kdumpkit
