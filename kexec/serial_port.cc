// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/serial_port.h"

#include <array>

namespace kdumpkit {

std::optional<uint16_t> LegacySerialPort(std::string_view name) {
  // SERIAL_PORT_DFNS in arch/x86/include/asm/serial.h of Linux.
  constexpr std::array<uint16_t, 4> kPorts = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
  constexpr std::string_view kPrefix = "ttyS";
  if (name.size() != kPrefix.size() + 1 || !name.starts_with(kPrefix)) return std::nullopt;
  size_t index = static_cast<size_t>(name.back() - '0');
  return index < kPorts.size() ? std::optional(kPorts[index]) : std::nullopt;
}

}  // namespace kdumpkit
