// SPDX-License-Identifier: GPL-2.0-or-later
// What is done about saved dumps and about the reservation, as subcommands.
#pragma once

#include "kdumpctl/command.h"

namespace kdumpkit {

inline constexpr CommandOption kPruneOptions[] = {
    {"dry-run", nullptr, "say what would be deleted, and delete nothing"},
};
int PruneCommand(const Invocation& invocation);

int RecoverCommand(const Invocation& invocation);

}  // namespace kdumpkit
