// SPDX-License-Identifier: GPL-2.0-or-later
// Completion of kdumpctl's command line in shells, made from the table of subcommands.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kdumpctl/command.h"

namespace kdumpkit {

// The script for "bash", "zsh" or "fish"; absent for others.
std::optional<std::string> CompletionScript(std::string_view shell,
                                            std::span<const Subcommand> subcommands);

int CompletionCommand(const Invocation& invocation);

}  // namespace kdumpkit
