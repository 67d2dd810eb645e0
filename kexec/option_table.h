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
  kAppend,
  kReuseCommandLine,
  kInitrd,
  kNoSync,
  kPrintReservation,
  kNoCma,
  kForceDtb,
  kFileSyscall,     // -s, -a: what this program does anyway
  kLoadSyscall,     // -c
  kIgnored,         // taken from scripts written for kexec-tools; without meaning here
  kNoEffect,        // the same, but the user may have expected something: a warning
  kNeedsKexecLoad,  // only the older system call could do it
  kXen,
};

struct OptionRow {
  const char* name;      // long name
  char letter;           // short name or 0
  const char* argument;  // name of the argument in --help, nullptr when the option takes none
  OptionId id;
  const char* help;  // nullptr for an option that --help lists by name only, or an alias
};

std::span<const OptionRow> OptionTable();

// The text of --help.
std::string HelpText();

}  // namespace kdumpkit
