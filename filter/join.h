// SPDX-License-Identifier: GPL-2.0-or-later
// --reassemble: makes one dump of the parts of a split one.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "filter/options.h"

namespace kdumpkit {

struct JoinReport {
  std::string dump;       // the path it really has now
  bool complete = false;  // no page is missing
  size_t parts = 0;
  uint64_t pages = 0;       // that the dump is to have
  uint64_t lost_pages = 0;  // of those: missing from a part, or its part is damaged there
  uint64_t bytes = 0;       // of the file
  double seconds = 0;
  std::vector<std::string> warnings;
};

// The parts (options.parts, in any order) have to be of one dump, and to have all of its page
// frames once; else nothing is written, and the error says which part is wrong. Pages are copied as
// they are packed. A page that its part has not becomes a hole of the result, which is then marked
// incomplete. Error: there is no file.
Result<JoinReport> JoinParts(const FilterOptions& options, const std::atomic<bool>& stop);
std::string JoinText(const JoinReport& report);
std::string JoinJson(const JoinReport& report);  // keys: kdump-filter(8)

}  // namespace kdumpkit
