// SPDX-License-Identifier: GPL-2.0-or-later
// What is left to do when the new kernel cannot be started.
#pragma once

#include <cstdint>

#include "kexec/purgatory/serial.h"

namespace kdumpkit::purgatory {

// Says on `serial` what happens and waits `seconds` if there are any to wait (see
// Arguments::reset_seconds), then resets the machine in every way there is. Returns when it is to
// be stopped for ever, and when nothing resets it.
void ResetAfter(int32_t seconds, Serial& serial);

}  // namespace kdumpkit::purgatory
