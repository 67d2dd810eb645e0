// SPDX-License-Identifier: GPL-2.0-or-later
// The subcommands of kdumpctl: one table, from which the command line is parsed and --help is
// printed.
#pragma once

#include <cstdio>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "kdumpctl/live_system.h"

namespace kdumpkit {

// Exit statuses of kdumpctl(8).
enum ExitStatus : int {
  kExitOk = 0,
  kExitFailed = 1,   // what was asked about is not in order, or could not be done
  kExitUsage = 2,    // the command line is wrong
  kExitPartial = 3,  // done, but not all of it
};

// What a subcommand gets.
struct Invocation {
  const RootDir& root;
  LiveSystem& system;
  std::FILE* out;
  std::FILE* err;
  std::vector<std::string> operands;
  bool json = false;
  std::map<std::string, std::string, std::less<>> options;  // the subcommand's own; "": a switch

  bool Has(std::string_view option) const { return options.contains(option); }
  // The value of an option that takes one; the last one counts.
  std::optional<std::string> Value(std::string_view option) const;

  // One line on `err`: "kdumpctl: ...".
  void Complain(std::string_view message) const;
};

// An option of one subcommand, besides --json and those that all have.
struct CommandOption {
  const char* name;      // without "--"
  const char* argument;  // as --help shows it; nullptr: takes none
  const char* help;
};

struct Subcommand {
  std::string_view name;
  std::string_view operands;  // as --help shows them; empty: takes none
  size_t least;               // numbers of operands
  size_t most;
  bool json;  // takes --json
  std::string_view help;
  int (*run)(const Invocation& invocation);  // an ExitStatus
  std::span<const CommandOption> options = {};
};

std::span<const Subcommand> Subcommands();

// The whole program, but for its process: `arguments` are without argv[0]. What could not be
// written to `out` is a failure, too.
int RunKdumpctl(const std::vector<std::string>& arguments, const RootDir& root, LiveSystem& system,
                std::FILE* out, std::FILE* err);
// The same with the real system.
int RunKdumpctl(const std::vector<std::string>& arguments, const RootDir& root, std::FILE* out,
                std::FILE* err);

// Writes `text`; errors are found by RunKdumpctl at the end.
void Print(std::FILE* out, std::string_view text);

}  // namespace kdumpkit
