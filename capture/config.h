// SPDX-License-Identifier: GPL-2.0-or-later
// What kdump-capture was told: the image's kdump.conf(5), and over it words of the capture kernel's
// command line (kdump-capture(8)).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/parse.h"

namespace kdumpkit {

// Every destination that has folders has its path. None at all: neither a file nor a word names
// one.
struct CaptureConfig : Config {
  std::string host = "localhost";  // first part of the name of the dump's folder
  std::string boot_id;             // of the kernel that crashed; may be empty
  std::string test_id;             // of "kdumpctl test"; empty: a real crash
};

struct ConfigReading {
  CaptureConfig config;
  // Sentences about lines and words that were not understood; their defaults are in `config`.
  std::vector<std::string> complaints;
};

// Never fails: a typing mistake must not cost a dump. Of a word given twice the last one counts.
ConfigReading ReadCaptureConfig(std::string_view command_line,
                                const std::optional<ConfigSource>& file = std::nullopt);

// The words of a kernel command line; double quotes keep blanks together and are removed.
std::vector<std::string> SplitCommandLine(std::string_view command_line);
// The value of the last word NAME=VALUE; empty when there is none.
std::string CommandLineValue(std::string_view command_line, std::string_view name);

// "rebooting", "powering off", "halting", "starting a shell".
std::string_view Describe(EndAction action);

}  // namespace kdumpkit
