// SPDX-License-Identifier: GPL-2.0-or-later
// What kdump-capture was told on the capture kernel's command line (kdump-capture(8)).
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kdumpkit {

enum class Compression { kNone, kZlib, kLzo, kSnappy, kZstd };
enum class FinalAction { kReboot, kPowerOff, kHalt };

struct CaptureConfig {
  std::string destination;          // "UUID=…", "LABEL=…" or "/dev/…"; empty when not given
  std::string path = "/var/crash";  // folder on the destination
  std::string fs_type;              // empty: as found on the device
  std::string host = "localhost";   // first part of the name of the dump's folder
  unsigned level = 31;              // dump level, 0 to 31
  unsigned threads = 0;             // 0: the filter decides
  Compression compression = Compression::kLzo;
  FinalAction final_action = FinalAction::kReboot;
  std::chrono::seconds timeout{60};  // wait for the destination's device
  std::chrono::seconds stall{600};   // longest time without progress before a step is given up
};

struct ConfigReading {
  CaptureConfig config;
  // Sentences about words that were not understood; their defaults are in `config`.
  std::vector<std::string> complaints;
};

// Never fails: a typing mistake must not cost a dump. Of a word given twice the last one counts.
ConfigReading ReadCaptureConfig(std::string_view command_line);

// The words of a kernel command line; double quotes keep blanks together and are removed.
std::vector<std::string> SplitCommandLine(std::string_view command_line);

// "rebooting", "powering off", "halting".
std::string_view Describe(FinalAction action);

}  // namespace kdumpkit
