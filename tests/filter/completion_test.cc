// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/completion.h"

#include <gmock/gmock.h>

#include "base/process.h"
#include "filter/option_table.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

class FilterCompletionIn : public testing::TestWithParam<std::string> {
 protected:
  // Runs a script; absent: there is no such shell.
  std::optional<bool> Run(const std::vector<std::string>& options, const std::string& script) {
    std::vector<std::string> argv = {GetParam()};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.push_back(dir_.Write("script", script));
    Result<ChildProcess> child = ChildProcess::Spawn(argv);
    if (!child) return std::nullopt;
    return child->Wait()->ok();
  }

  TempDir dir_;
};
INSTANTIATE_TEST_SUITE_P(Shells, FilterCompletionIn, testing::Values("bash", "zsh", "fish"));

TEST_P(FilterCompletionIn, HasEveryOptionOfTheHelp) {
  std::string script = FilterCompletion(GetParam()).value();
  for (const FilterOptionRow& row : FilterOptionTable()) {
    if (row.help == nullptr || row.name == nullptr) continue;
    EXPECT_THAT(script, HasSubstr((GetParam() == "fish" ? "-l " : "--") + std::string(row.name)));
  }
  EXPECT_THAT(script, HasSubstr("makedumpfile"));
  EXPECT_THAT(script, HasSubstr("vmcore-dmesg"));
}

TEST_P(FilterCompletionIn, IsTakenByTheShell) {
  std::optional<bool> parses = Run({"-n"}, FilterCompletion(GetParam()).value());
  if (!parses) GTEST_SKIP() << GetParam() << " is not installed";
  EXPECT_TRUE(*parses);
}

TEST(FilterCompletion, BashCompletes) {
  TempDir dir;
  dir.Write("vmcore-file", "");
  std::string script = FilterCompletion("bash").value() +
                       "compopt() { :; }\n"
                       "ask() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=();\n"
                       "  _kdump_filter; echo \"${COMPREPLY[*]}\"; }\n"
                       "cd " +
                       dir.path() +
                       "\n"
                       "[[ $(ask makedumpfile --cyc) == --cyclic-buffer ]] || exit 1\n"
                       "[[ $(ask kdump-filter -d 31 vmc) == vmcore-file ]] || exit 2\n"
                       "[[ $(ask vmcore-dmesg --v) == --version ]] || exit 3\n";
  Result<ChildProcess> child = ChildProcess::Spawn({"bash", dir.Write("script", script)});
  if (!child) GTEST_SKIP() << "bash is not installed";
  EXPECT_TRUE(child->Wait()->ok());
}

TEST(FilterCompletion, OtherShellsAreNotKnown) { EXPECT_FALSE(FilterCompletion("csh")); }

}  // namespace
}  // namespace kdumpkit
