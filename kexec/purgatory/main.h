// SPDX-License-Identifier: GPL-2.0-or-later
// Purgatory from its entry, when head.S has made a stack, to its end.
#pragma once

#include "kexec/purgatory/arguments.h"

namespace kdumpkit::purgatory {

// Checks memory and makes the backup. True when the new kernel may start. Otherwise the failure
// has been reported and the machine, unless it is to stop for ever, should be in a reset by now.
extern "C" bool PurgatoryMain(const Arguments& arguments);

}  // namespace kdumpkit::purgatory
