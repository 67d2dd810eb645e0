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

// Which of the two system calls may be used.
enum class CallChoice {
  kAuto,      // kexec_file_load, and kexec_load where that cannot do it
  kFile,      // -s
  kSegments,  // -c
};

// What only kexec_load, whose segments this program makes, can be told.
struct SegmentOptions {
  bool check = true;  // the segments are verified before the new kernel starts
  bool efi = true;
  // Physical bounds of the segments, inclusive.
  uint64_t mem_min = 0;
  uint64_t mem_max = UINT64_MAX;
  std::optional<uint16_t> serial_port;  // for messages of purgatory; absent: found out

  bool Bounded() const { return mem_min != 0 || mem_max != UINT64_MAX; }
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
  bool json = false;
  bool sync = true;
  bool interfaces_down = true;
  CallChoice call = CallChoice::kAuto;
  bool hotplug = false;             // demanded; where the kernel can it is done anyway
  uint64_t optional_flags = 0;      // subset of kOptionalFileFlags
  std::optional<std::string> type;  // as kexec-tools names types of images
  SegmentOptions segments;
};

// Parses `args` (without the program's name). Options may stand before and after the kernel, long
// names may be cut to a unique beginning, "--" ends the options. What cannot be combined is a
// kUsage error with the reason.
Result<Options> ParseOptions(const std::vector<std::string>& args);

}  // namespace kdumpkit
