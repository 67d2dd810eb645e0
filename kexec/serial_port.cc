// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/serial_port.h"

#include <array>
#include <string>
#include <vector>

#include "kexec/command_line.h"
#include "kexec/text.h"

namespace kdumpkit {
namespace {

std::vector<std::string_view> SplitAtCommas(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    size_t comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

// An 8250 has eight ports.
std::optional<uint16_t> CheckedPort(std::optional<uint64_t> port) {
  if (!port || *port == 0 || *port > 0xfff8) return std::nullopt;
  return static_cast<uint16_t>(*port);
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  if (!text.starts_with("0x") && !text.starts_with("0X")) return std::nullopt;
  return CheckedPort(ParseNumber(text.substr(2), 16));
}

// The port of a line that is at one (io_type 0), not in memory.
std::optional<uint16_t> PortOfLine(std::string_view name, const RootDir& root) {
  std::string folder = fmt::format("/sys/class/tty/{}", name);
  if (root.ReadLine(folder + "/io_type").value_or("0") != "0") return std::nullopt;
  return ParsePort(root.ReadLine(folder + "/port").value_or(""));
}

// "ttyS0,115200n8"
std::optional<uint16_t> PortOfTty(std::string_view value, const RootDir& root) {
  std::string_view name = value.substr(0, value.find(','));
  if (!name.starts_with("ttyS")) return std::nullopt;
  return PortOfLine(name, root);
}

// "uart8250,io,0x3f8,115200n8" and "uart,io,0x3f8".
std::optional<uint16_t> PortOfUart(std::string_view value) {
  std::vector<std::string_view> parts = SplitAtCommas(value);
  bool uart = parts[0] == "uart8250" || parts[0] == "uart";
  if (!uart || parts.size() < 3 || parts[1] != "io") return std::nullopt;
  return ParsePort(parts[2]);
}

// "serial,ttyS0,115200", "ttyS0", "serial,0x3f8": arch/x86/kernel/early_printk.c knows two lines.
std::optional<uint16_t> PortOfEarlyPrintk(std::string_view value) {
  std::vector<std::string_view> parts = SplitAtCommas(value);
  if (parts[0] == "serial") parts.erase(parts.begin());
  if (parts.empty() || parts[0] == "ttyS0") return uint16_t{0x3f8};
  if (parts[0] == "ttyS1") return uint16_t{0x2f8};
  return ParsePort(parts[0]);
}

std::string_view ValueOf(std::string_view word) {
  size_t equals = word.find('=');
  return equals == std::string_view::npos ? "" : word.substr(equals + 1);
}

}  // namespace

std::optional<uint16_t> LegacySerialPort(std::string_view name) {
  // SERIAL_PORT_DFNS in arch/x86/include/asm/serial.h of Linux.
  constexpr std::array<uint16_t, 4> kPorts = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
  constexpr std::string_view kPrefix = "ttyS";
  if (name.size() != kPrefix.size() + 1 || !name.starts_with(kPrefix)) return std::nullopt;
  size_t index = static_cast<size_t>(name.back() - '0');
  return index < kPorts.size() ? std::optional(kPorts[index]) : std::nullopt;
}

std::optional<uint16_t> SerialConsolePort(std::string_view command_line, const RootDir& root) {
  std::optional<uint16_t> console;
  std::optional<uint16_t> early;
  for (const std::string& word : SplitWords(command_line)) {
    std::string_view name = ParameterName(word);
    std::string_view value = ValueOf(word);
    if (name == "console") {
      std::optional<uint16_t> port = PortOfTty(value, root);
      if (!port) port = PortOfUart(value);
      if (port) console = port;
    } else if (name == "earlycon") {
      if (std::optional<uint16_t> port = PortOfUart(value)) early = port;
    } else if (name == "earlyprintk") {
      if (std::optional<uint16_t> port = PortOfEarlyPrintk(value)) early = port;
    }
  }
  return console ? console : early;
}

}  // namespace kdumpkit
