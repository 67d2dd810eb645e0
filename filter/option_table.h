// SPDX-License-Identifier: GPL-2.0-or-later
// The one table of kdump-filter's options: parsing, --help and completion come from it.
#pragma once

#include <span>
#include <string_view>

#include "filter/options.h"

namespace kdumpkit {

struct FilterOptionRow {
  char letter;           // 0: has no short form
  const char* name;      // null: has no long form
  const char* argument;  // null: takes none; with '[' before it, it may be left out
  const char* help;      // null: neither in --help nor completed
  // Null for what ends parsing: -h and -v.
  Status (*apply)(std::string_view argument, FilterOptions& options);
};

std::span<const FilterOptionRow> FilterOptionTable();
// How a mode is asked for, for messages.
std::string_view ModeOption(FilterMode mode);

}  // namespace kdumpkit
