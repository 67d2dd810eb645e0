// SPDX-License-Identifier: GPL-2.0-or-later
// Serial ports of a PC.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kdumpkit {

// The I/O port of "ttyS0" to "ttyS3" where a PC has them since ever; absent for any other name.
std::optional<uint16_t> LegacySerialPort(std::string_view name);

}  // namespace kdumpkit
