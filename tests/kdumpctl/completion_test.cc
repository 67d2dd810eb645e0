// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/completion.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/process.h"
#include "tests/kdumpctl/kdumpctl_fixture.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

class Completion : public KdumpctlFixture {
 protected:
  // Whether a shell takes the script; absent: there is no such shell.
  std::optional<bool> Parses(const std::string& shell, const std::string& script) {
    std::string path = dir_.Write("script", script);
    Result<ChildProcess> child = ChildProcess::Spawn({shell, "-n", path});
    if (!child) return std::nullopt;
    return child->Wait()->ok();
  }
};

TEST_F(Completion, HasEverySubcommandAndOption) {
  for (std::string shell : {"bash", "zsh", "fish"}) {
    EXPECT_EQ(Run({"completion", shell}), kExitOk);
    std::string lead = shell == "fish" ? "-l " : "--";
    for (const Subcommand& subcommand : Subcommands()) {
      EXPECT_THAT(out_, HasSubstr(std::string(subcommand.name))) << shell;
      for (const CommandOption& own : subcommand.options)
        EXPECT_THAT(out_, HasSubstr(lead + own.name)) << shell;
    }
    for (std::string_view word : {"json", "help", "version", "debian", "suse"})
      EXPECT_THAT(out_, HasSubstr(std::string(word))) << shell;
  }
}

class CompletionIn : public Completion, public testing::WithParamInterface<std::string> {};
INSTANTIATE_TEST_SUITE_P(Shells, CompletionIn, testing::Values("bash", "zsh", "fish"),
                         [](const auto& shell) { return shell.param; });

TEST_P(CompletionIn, ShellTakesIt) {
  std::optional<bool> parses = Parses(GetParam(), *CompletionScript(GetParam(), Subcommands()));
  if (!parses) GTEST_SKIP() << GetParam() << " is not installed";
  EXPECT_TRUE(*parses);
  EXPECT_EQ(Parses(GetParam(), "echo '\n"), false);
}

// bash itself completes: the words after "kdumpctl", the last one unfinished.
TEST_F(Completion, BashCompletes) {
  const std::pair<std::string, std::string> kCases[] = {
      {"prop", "propagate"}, {"prune --d", "--dry-run"}, {"reset-crashkernel --k", "--kernel="},
      {"import s", "suse"},  {"list --j", "--json"},     {"import --j", ""},
  };
  std::string script = *CompletionScript("bash", Subcommands());
  for (const auto& [line, expected] : kCases) {
    std::string path =
        dir_.Write("complete", script + "compopt() { :; }\nCOMP_WORDS=(kdumpctl " + line +
                                   ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_kdumpctl\n"
                                   "test \"${COMPREPLY[*]}\" = \"" +
                                   expected + "\" || { echo \"${COMPREPLY[*]}\"; exit 1; }\n");
    Result<ChildProcess> child = ChildProcess::Spawn({"bash", path});
    ASSERT_TRUE(child.has_value());
    EXPECT_TRUE(child->Wait()->ok()) << line;
  }
}

TEST_F(Completion, QuotesInTexts) {
  constexpr CommandOption kOptions[] = {{"an-option", "X", "it's [a]: b"}};
  const Subcommand kTable[] = {{"a", "", 0, 0, true, "it's a", nullptr, kOptions}};
  EXPECT_THAT(*CompletionScript("zsh", kTable),
              HasSubstr(R"('--an-option=[it'\''s \[a\]\: b]:X:')"));
  EXPECT_THAT(*CompletionScript("fish", kTable), HasSubstr(R"(-d 'it\'s a')"));
}

TEST_F(Completion, OtherShells) {
  EXPECT_EQ(Run({"completion", "tcsh"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("there are bash, zsh and fish"));
}

}  // namespace
}  // namespace kdumpkit
