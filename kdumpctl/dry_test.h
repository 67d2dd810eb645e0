// SPDX-License-Identifier: GPL-2.0-or-later
// "kdumpctl test --dry": what the image that is there would do, without a crash. What it proves and
// what it does not stands in kdumpctl(8).
#pragma once

#include "kdumpctl/command.h"

namespace kdumpkit {

// kExitOk only when a dump has arrived at a destination and was verified there.
int DryTest(const Invocation& invocation);

}  // namespace kdumpkit
