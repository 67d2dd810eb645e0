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

int EstimateCommand(const Invocation& invocation);
int DefaultCrashkernelCommand(const Invocation& invocation);

inline constexpr CommandOption kResetCrashkernelOptions[] = {
    {"kernel", "ALL|DEFAULT|KERNEL", "which entries of the boot loader; else ALL"},
    {"dry-run", nullptr, "say what would be changed, and change nothing"},
    {"after-update", nullptr, "for package scripts: leave a value that the user chose"},
};
int ResetCrashkernelCommand(const Invocation& invocation);

int PropagateCommand(const Invocation& invocation);

}  // namespace kdumpkit
