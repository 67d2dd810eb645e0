// SPDX-License-Identifier: GPL-2.0-or-later
// Every option of the program once: the parser and --help both read this table.
#pragma once

#include <span>
#include <string>

namespace kdumpkit {

enum class OptionId {
  kHelp,
  kVersion,
  kDebug,
  kLoad,
  kLoadPanic,
  kUnload,
  kExec,
  kForce,
  kStatus,
  kDryRun,
  kJson,
  kAppend,
  kReuseCommandLine,
  kInitrd,
  kNoSync,
  kNoIfdown,
  kPrintReservation,
  kNoCma,
  kForceDtb,
  kFileSyscall,  // -s
  kLoadSyscall,  // -c
  kAutoSyscall,  // -a
  kHotplug,
  kNoChecks,
  kNoEfi,
  kMemMin,
  kMemMax,
  kSerial,
  kType,
  kIgnored,  // taken from scripts written for kexec-tools; without meaning here
  kRefused,  // of kexec-tools, not served; the row says why
};

struct OptionRow {
  const char* name;      // long name
  char letter;           // short name or 0
  const char* argument;  // name of the argument in --help, nullptr when the option takes none
  OptionId id;
  const char*
      help;  // nullptr for an option that --help lists by name only; with kRefused the reason
};

std::span<const OptionRow> OptionTable();

// The text of --help.
std::string HelpText();

}  // namespace kdumpkit
