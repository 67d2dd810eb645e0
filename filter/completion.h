// SPDX-License-Identifier: GPL-2.0-or-later
// Completion of the filter's command line in shells, under each of its names, made from the table
// of options.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kdumpkit {

// The script for "bash", "zsh" or "fish"; absent for others.
std::optional<std::string> FilterCompletion(std::string_view shell);

}  // namespace kdumpkit
