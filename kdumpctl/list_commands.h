// SPDX-License-Identifier: GPL-2.0-or-later
// kdumpctl list and show: the dumps that were saved.
#pragma once

#include "kdumpctl/command.h"

namespace kdumpkit {

int ListCommand(const Invocation& invocation);
int ShowCommand(const Invocation& invocation);

}  // namespace kdumpkit
