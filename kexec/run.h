// SPDX-License-Identifier: GPL-2.0-or-later
// The program from its arguments to its exit status.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "kexec/syscalls.h"

namespace kdumpkit {

// Exit statuses; --status has its own meaning of the first two. Never 6, which openSUSE's units
// take for success.
inline constexpr int kExitDone = 0;
inline constexpr int kExitRefused = 1;   // wrong use, or a check spoke against it
inline constexpr int kExitFailed = 255;  // the kernel said no

// Where the program speaks: standard output and standard error, line by line.
class Console {
 public:
  virtual ~Console() = default;
  virtual void Out(std::string_view text) = 0;
  virtual void Err(std::string_view text) = 0;
};

// `args` without the program's name; `machine` as uname spells it.
int Run(const std::vector<std::string>& args, const RootDir& root, std::string_view machine,
        KexecSyscalls& syscalls, Console& console);

}  // namespace kdumpkit
