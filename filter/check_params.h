// SPDX-License-Identifier: GPL-2.0-or-later
// --check-params: whether the run that the options ask for would be accepted. Writes nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "filter/options.h"

namespace kdumpkit {

struct CheckReport {
  std::vector<std::string> refusals;  // why the run would fail; empty: it would be accepted
  std::vector<std::string> warnings;  // what it would warn of
  std::optional<uint64_t> memory;     // bytes of memory in the input
  std::optional<uint64_t> free;       // bytes free where the output goes
};

// The options themselves were accepted already. Opens the input, a vmlinux and an erase script, and
// looks at the output's place.
CheckReport CheckRun(const FilterOptions& options);

std::string CheckText(const CheckReport& report);

}  // namespace kdumpkit
