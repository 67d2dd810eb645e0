// SPDX-License-Identifier: GPL-2.0-or-later
// Subcommands about kdump.conf(5); each returns an exit status.
#pragma once

#include "kdumpctl/command.h"

namespace kdumpkit {

int CheckConfig(const Invocation& invocation);
int ShowConfig(const Invocation& invocation);
int ImportConfig(const Invocation& invocation);

}  // namespace kdumpkit
