// SPDX-License-Identifier: GPL-2.0-or-later
// Reading of the arguments: which options were given, before it is made sense of.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "kexec/option_table.h"

namespace kdumpkit {

struct Given {
  std::set<OptionId> ids;
  std::vector<std::string> operands;
  std::optional<std::string> append;
  std::optional<std::string> initrd;
  bool load_syscall = false;  // -c, unless -s or -a came later
  std::vector<std::string> warnings;

  bool Has(OptionId id) const { return ids.contains(id); }
};

// Without the program's name. Unknown and ambiguous options, and options that this version cannot
// serve, are kUsage errors.
Result<Given> ReadArguments(std::vector<std::string> args);

}  // namespace kdumpkit
