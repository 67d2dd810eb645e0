// SPDX-License-Identifier: GPL-2.0-or-later
// Serial ports of a PC, and the one that messages before the kernel starts go to.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/file.h"

namespace kdumpkit {

// The I/O port of "ttyS0" to "ttyS3" where a PC has them since ever; absent for any other name.
std::optional<uint16_t> LegacySerialPort(std::string_view name);

// The I/O port of the 8250 that the new kernel's command line makes a console: "console=ttyS0" (the
// last one; its port is the running system's), "console=uart8250,io,0x3f8", or else the ones of
// earlycon= and earlyprintk=. Absent when there is none, or it has no I/O port.
std::optional<uint16_t> SerialConsolePort(std::string_view command_line, const RootDir& root);

}  // namespace kdumpkit
