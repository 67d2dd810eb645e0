// SPDX-License-Identifier: GPL-2.0-or-later
// Reading of the arguments: which options were given, before it is made sense of.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "kexec/option_table.h"
#include "kexec/options.h"

namespace kdumpkit {

struct Given {
  std::set<OptionId> ids;
  std::vector<std::string> operands;
  std::optional<std::string> append;
  std::optional<std::string> initrd;
  std::optional<std::string> type;
  CallChoice call = CallChoice::kAuto;  // the last of -s, -c and -a
  SegmentOptions segments;

  bool Has(OptionId id) const { return ids.contains(id); }
};

// Without the program's name. Unknown and ambiguous options, options that are not
// served, and arguments that cannot be read are kUsage errors.
Result<Given> ReadArguments(std::vector<std::string> args);

}  // namespace kdumpkit
