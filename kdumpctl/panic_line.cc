// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/panic_line.h"

#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

// Without what stands before the message: "<6>", "[   12.345678]", "[  T123]".
std::string_view Message(std::string_view line) {
  while (line.starts_with('[') || line.starts_with('<')) {
    size_t end = line.find(line[0] == '[' ? ']' : '>');
    if (end == std::string_view::npos) break;
    line.remove_prefix(end + 1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  }
  return line;
}

std::string Printable(std::string_view text) {
  constexpr size_t kLongest = 200;
  std::string shown(text.substr(0, kLongest));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return shown;
}

// How the first line of an oops begins, on the common architectures.
bool IsOops(std::string_view message) {
  for (std::string_view beginning :
       {"BUG: ", "Oops: ", "kernel BUG at ", "general protection fault",
        "watchdog: BUG: ", "Unable to handle kernel", "Internal error: "})
    if (message.starts_with(beginning)) return true;
  return false;
}

}  // namespace

PanicLine FindPanic(std::string_view dmesg) {
  constexpr std::string_view kPanic = "Kernel panic - not syncing: ";
  constexpr std::string_view kVersion = "Linux version ";
  PanicLine found;
  std::string oops;
  std::string sysrq;
  for (std::string_view line : Lines(dmesg)) {
    std::string_view message = Message(line);
    while (message.ends_with('\r')) message.remove_suffix(1);
    if (message.starts_with(kVersion)) {
      std::string_view rest = message.substr(kVersion.size());
      found.kernel = Printable(rest.substr(0, rest.find(' ')));
    } else if (message.starts_with(kPanic)) {
      found.reason = Printable(message.substr(kPanic.size()));
      break;
    } else if (oops.empty() && IsOops(message)) {
      oops = Printable(message);
    } else if (message.starts_with("sysrq: Trigger a crash")) {
      sysrq = Printable(message);
    }
  }
  if (found.reason.empty()) found.reason = oops.empty() ? sysrq : oops;
  return found;
}

}  // namespace kdumpkit
