// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "kdumpctl/command.h"

namespace kdumpkit {

// "kdumpctl status": 0 when a crash kernel is loaded, 3 when not, as Fedora's.
int ShowStatus(const Invocation& invocation);

}  // namespace kdumpkit
