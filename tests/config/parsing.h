// SPDX-License-Identifier: GPL-2.0-or-later
// Shorthand for tests: one text is one file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/parse.h"

namespace kdumpkit {

// The name of the file that Parse() reads.
inline constexpr const char kTestFile[] = "k.conf";

inline ParsedConfig Parse(std::string_view text) {
  std::vector<ConfigSource> sources = {{kTestFile, std::string(text)}};
  return ParseConfig(sources);
}

// Each problem as it is printed, without "k.conf:".
inline std::vector<std::string> ProblemLines(const ParsedConfig& reading) {
  std::vector<std::string> lines;
  for (const Problem& problem : reading.problems) {
    std::string line = FormatProblem(problem);
    lines.push_back(line.starts_with("k.conf:") ? line.substr(7) : line);
  }
  return lines;
}

}  // namespace kdumpkit
