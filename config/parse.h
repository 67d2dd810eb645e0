// SPDX-License-Identifier: GPL-2.0-or-later
// kdump.conf(5) and its drop-in files, read into a Config. The running system and the capture
// kernel use the same parser.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/problem.h"

namespace kdumpkit {

struct ConfigSource {
  std::string name;  // for messages and origins
  std::string text;
};

// Where a setting comes from.
struct SettingOrigin {
  Origin at;
  std::string_view by;  // the directive that set it: "core_collector" for a level of 31, say
};

struct ParsedConfig {
  // What was understood; the default where a setting has a problem. It can be used in any case: a
  // typing mistake must not cost a dump.
  Config config;
  // By the name of the directive; one element for each destination or other repeatable line.
  // A directive with its default is not there.
  std::map<std::string_view, std::vector<SettingOrigin>> origins;
  std::vector<Problem> problems;  // in the order of files and lines

  bool ok() const { return !HasErrors(problems); }
};

// Reads `sources` from the first to the last. A later one overrides what an earlier one says about
// a directive; a list of destinations (or keys) is replaced as a whole. All problems are reported.
ParsedConfig ParseConfig(std::span<const ConfigSource> sources);

}  // namespace kdumpkit
