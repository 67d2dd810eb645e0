// SPDX-License-Identifier: GPL-2.0-or-later
// Whether everything in memory is as it was when the kernel was loaded.
#pragma once

#include "kexec/purgatory/arguments.h"
#include "kexec/purgatory/serial.h"

namespace kdumpkit::purgatory {

// Nothing in `arguments` may be relied on when this is false.
bool ArgumentsIntact(const Arguments& arguments);

// One line on `serial` for each region that is not as it was; true when all are. The arguments
// are intact; a region is read at its address.
bool RegionsIntact(const Arguments& arguments, Serial& serial);

}  // namespace kdumpkit::purgatory
