// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/problem.h"

#include <fmt/format.h>

#include <algorithm>

namespace kdumpkit {

std::string_view SeverityName(Severity severity) {
  return severity == Severity::kError ? "error" : "warning";
}

std::string Origin::ToString() const { return line == 0 ? file : fmt::format("{}:{}", file, line); }

std::string FormatProblem(const Problem& problem) {
  return fmt::format("{}: {}: {}{}{}", problem.at.ToString(), SeverityName(problem.severity),
                     problem.message, problem.suggestion.empty() ? "" : "; ", problem.suggestion);
}

bool HasErrors(const std::vector<Problem>& problems) {
  return std::any_of(problems.begin(), problems.end(),
                     [](const Problem& problem) { return problem.severity == Severity::kError; });
}

std::string Shown(std::string_view text) {
  constexpr size_t kMost = 120;
  std::string shown;
  for (char c : text.substr(0, kMost)) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      shown += fmt::format("\\x{:02x}", byte);
    } else {
      shown += c;
    }
  }
  return text.size() > kMost ? shown + "..." : shown;
}

}  // namespace kdumpkit
