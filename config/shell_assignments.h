// SPDX-License-Identifier: GPL-2.0-or-later
// Reads files of shell assignments (/etc/default/kdump-tools, /etc/sysconfig/kdump) as data:
// names, values, quotes and comments. Nothing is expanded and nothing is run; what only a shell
// could tell is refused, with its line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"

namespace kdumpkit {

struct ShellAssignment {
  std::string name;
  std::string value;
  unsigned line = 0;
};

struct ShellFile {
  std::vector<ShellAssignment> assignments;  // in their order; of one name the last one counts
  std::vector<Problem> problems;
};

// Any bytes have an answer. Behind a quote that is never closed nothing more is read.
ShellFile ReadShellAssignments(const std::string& file, std::string_view text);

}  // namespace kdumpkit
