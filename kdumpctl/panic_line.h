// SPDX-License-Identifier: GPL-2.0-or-later
// What a saved kernel log says about the crash.
#pragma once

#include <string>
#include <string_view>

namespace kdumpkit {

struct PanicLine {
  std::string reason;  // behind "Kernel panic - not syncing: ", else the first line of an oops
  std::string kernel;  // "6.1.0-50-amd64"; empty: the log does not go back to the boot
};

// Any bytes have an answer; control characters become '?'.
PanicLine FindPanic(std::string_view dmesg);

}  // namespace kdumpkit
