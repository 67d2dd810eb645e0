// SPDX-License-Identifier: GPL-2.0-or-later
// What the tests of all importers do.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "config/import.h"
#include "tests/config/parsing.h"

namespace kdumpkit {

using Importer = Import (*)(const std::string& file, std::string_view text);

// The lines of a file that are no comments.
inline std::vector<std::string> SettingLines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (!line.empty() && line[0] != '#') lines.push_back(line);
    at = end + 1;
  }
  return lines;
}

// The settings that become of `text`; whatever happens, they are a file without errors.
inline std::vector<std::string> Imported(Importer importer, std::string_view text) {
  Import result = importer("f", text);
  for (const Problem& problem : result.problems) ADD_FAILURE() << FormatProblem(problem);
  EXPECT_TRUE(Parse(result.text).ok()) << result.text;
  return SettingLines(result.text);
}

// The only problem. The variable stands in the file as a comment, too.
inline std::string NotImported(Importer importer, std::string_view text) {
  Import result = importer("f", text);
  EXPECT_TRUE(Parse(result.text).ok()) << result.text;
  EXPECT_EQ(result.problems.size(), 1u) << text;
  EXPECT_THAT(result.text, testing::HasSubstr("not imported"));
  return result.problems.empty() ? "" : FormatProblem(result.problems[0]);
}

// What is said of a variable that becomes no setting, without any problem.
inline std::string Noted(Importer importer, std::string_view text) {
  Import result = importer("f", text);
  EXPECT_TRUE(result.problems.empty()) << text;
  EXPECT_TRUE(SettingLines(result.text).empty()) << result.text;
  return result.text;
}

}  // namespace kdumpkit
