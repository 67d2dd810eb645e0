// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of the program, as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "kexec/syscalls.h"

namespace kdumpkit {

enum class Action {
  kLoad,            // -l, -p
  kLoadAndReboot,   // no action option: load, then shutdown(8)
  kLoadAndExecute,  // -f
  kExecute,         // -e
  kUnload,
  kStatus,
  kPrintReservation,
  kHelp,
  kVersion,
};

struct Options {
  Action action = Action::kLoadAndReboot;
  Slot slot = Slot::kReboot;
  std::string kernel;
  std::optional<std::string> append;
  bool reuse_command_line = false;
  std::optional<std::string> initrd;
  bool debug = false;
  bool dry_run = false;
  bool sync = true;
  uint64_t optional_flags = 0;        // subset of kOptionalFileFlags
  std::vector<std::string> warnings;  // options that were accepted but do nothing
};

// Parses `args` (without the program's name). Options may stand before and after the kernel, long
// names may be cut to a unique beginning, "--" ends the options. What cannot be combined is a
// kUsage error with the reason.
Result<Options> ParseOptions(const std::vector<std::string>& args);

}  // namespace kdumpkit
