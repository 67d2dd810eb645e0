// SPDX-License-Identifier: GPL-2.0-or-later
// What is wrong with a configuration, and where. Readers collect problems instead of stopping at
// the first one.
#pragma once

#include <string>
#include <vector>

namespace kdumpkit {

enum class Severity {
  kError,    // the setting has no effect; the default, or what an earlier file says, stands
  kWarning,  // the setting has effect, but perhaps not the one that was meant
};
// "error", "warning".
std::string_view SeverityName(Severity severity);

// A line of a file; line 0 is the file as a whole.
struct Origin {
  std::string file;
  unsigned line = 0;

  bool operator==(const Origin&) const = default;
  // "/etc/kdump.conf:12".
  std::string ToString() const;
};

struct Problem {
  Severity severity = Severity::kError;
  Origin at;
  std::string message;     // what is wrong, with the bad text in single quotes
  std::string suggestion;  // what to write instead; may be empty
};

// "FILE:LINE: error: MESSAGE; SUGGESTION", one line.
std::string FormatProblem(const Problem& problem);
bool HasErrors(const std::vector<Problem>& problems);

// `text` as it may be shown: control characters become "\xNN", and a long text is cut.
std::string Shown(std::string_view text);

}  // namespace kdumpkit
