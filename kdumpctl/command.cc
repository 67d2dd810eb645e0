// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/command.h"

#include <fmt/format.h>
#include <getopt.h>

#include <optional>

#include "config/nearest.h"
#include "kdumpctl/config_commands.h"

namespace kdumpkit {
namespace {

constexpr Subcommand kSubcommands[] = {
    {"check-config", "[FILE]", 0, 1, true,
     "check FILE, or kdump.conf with its drop-in files; tell every mistake", CheckConfig},
    {"show-config", "", 0, 0, true, "show all settings in effect, and where each comes from",
     ShowConfig},
    {"import", "debian|suse|fedora [FILE]", 1, 2, false,
     "write another distribution's settings as a kdump.conf on standard output", ImportConfig},
};

enum LongOption : int { kJson = 256 };

struct OptionRow {
  option entry;
  const char* letter;  // as --help shows it
  const char* help;
};
// Every subcommand takes these, --json but for those that have nothing to tell by it.
constexpr OptionRow kOptions[] = {
    {{"json", no_argument, nullptr, kJson}, "    ", "print the result as JSON"},
    {{"help", no_argument, nullptr, 'h'}, "-h, ", "show this text"},
    {{"version", no_argument, nullptr, 'v'}, "-v, ", "show the version"},
};

const Subcommand* FindSubcommand(std::string_view name) {
  for (const Subcommand& subcommand : kSubcommands)
    if (subcommand.name == name) return &subcommand;
  return nullptr;
}

std::string Usage(const Subcommand& subcommand) {
  return fmt::format("kdumpctl {}{}{}{}", subcommand.name, subcommand.json ? " [--json]" : "",
                     subcommand.operands.empty() ? "" : " ", subcommand.operands);
}

std::string OptionsHelp(bool json) {
  std::string text;
  for (const OptionRow& row : kOptions)
    if (json || row.entry.val != kJson)
      text += fmt::format("  {}--{:<10} {}\n", row.letter, row.entry.name, row.help);
  return text;
}

std::string Help() {
  std::string text =
      "Usage: kdumpctl SUBCOMMAND [OPTION]... [OPERAND]...\n"
      "Looks after the saving of crash dumps; see kdumpctl(8).\n\n";
  for (const Subcommand& subcommand : kSubcommands)
    text += fmt::format("  {}\n      {}\n", Usage(subcommand), subcommand.help);
  return text + "\n" + OptionsHelp(true) +
         "\nExit status: 0 in order; 1 not in order, or it could not be done; 2 the command line "
         "is wrong;\n3 not everything could be imported.\n";
}

std::string Help(const Subcommand& subcommand) {
  return fmt::format("Usage: {}\n  {}\n\n{}", Usage(subcommand), subcommand.help,
                     OptionsHelp(subcommand.json));
}

struct CommandLine {
  const Subcommand* subcommand = nullptr;
  std::vector<std::string> operands;
  bool json = false;
  bool help = false;
  bool version = false;
};

Result<CommandLine> Scan(const std::vector<std::string>& arguments) {
  std::vector<option> table;
  for (const OptionRow& row : kOptions) table.push_back(row.entry);
  table.push_back({nullptr, 0, nullptr, 0});
  std::vector<std::string> copies = arguments;
  std::string program = "kdumpctl";
  std::vector<char*> argv = {program.data()};
  for (std::string& argument : copies) argv.push_back(argument.data());
  int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  optind = 0;  // glibc: begin anew
  opterr = 0;
  CommandLine line;
  for (;;) {
    int found = getopt_long(argc, argv.data(), ":hv", table.data(), nullptr);
    if (found == -1) break;
    if (found == '?' || found == ':')
      return UsageError("unknown option '{}'; see 'kdumpctl --help'",
                        argv[static_cast<size_t>(optind - 1)]);
    line.json |= found == kJson;
    line.help |= found == 'h';
    line.version |= found == 'v';
  }
  line.operands.assign(argv.begin() + optind, argv.end() - 1);
  return line;
}

Error UnknownSubcommand(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Subcommand& subcommand : kSubcommands) names.push_back(subcommand.name);
  std::string_view nearest = Nearest(name, names);
  if (nearest.empty())
    return UsageError("there is no subcommand '{}'; see 'kdumpctl --help'", name);
  return UsageError("there is no subcommand '{}'; did you mean '{}'?", name, nearest);
}

Status TakeSubcommand(CommandLine& line) {
  if (line.operands.empty()) {
    if (line.help || line.version) return {};
    return UsageError("no subcommand is given; see 'kdumpctl --help'");
  }
  line.subcommand = FindSubcommand(line.operands[0]);
  if (line.subcommand == nullptr) return UnknownSubcommand(line.operands[0]);
  line.operands.erase(line.operands.begin());
  return {};
}

Status CheckOperands(const CommandLine& line) {
  if (line.help || line.version) return {};
  const Subcommand& subcommand = *line.subcommand;
  size_t count = line.operands.size();
  if (count < subcommand.least || count > subcommand.most)
    return UsageError("{} operands; usage: {}", count < subcommand.least ? "too few" : "too many",
                      Usage(subcommand));
  if (line.json && !subcommand.json)
    return UsageError("'{}' takes no --json; usage: {}", subcommand.name, Usage(subcommand));
  return {};
}

Result<CommandLine> Parse(const std::vector<std::string>& arguments) {
  CommandLine line = TRY(Scan(arguments));
  TRY(TakeSubcommand(line));
  TRY(CheckOperands(line));
  return line;
}

int Run(const CommandLine& line, const Invocation& invocation) {
  if (line.help) {
    Print(invocation.out, line.subcommand == nullptr ? Help() : Help(*line.subcommand));
    return kExitOk;
  }
  if (line.version) {
    Print(invocation.out, fmt::format("kdumpctl {}\n", KDUMPKIT_VERSION));
    return kExitOk;
  }
  return line.subcommand->run(invocation);
}

}  // namespace

void Invocation::Complain(std::string_view message) const {
  Print(err, fmt::format("kdumpctl: {}\n", message));
}

void Print(std::FILE* out, std::string_view text) { std::fwrite(text.data(), 1, text.size(), out); }

std::span<const Subcommand> Subcommands() { return kSubcommands; }

int RunKdumpctl(const std::vector<std::string>& arguments, const RootDir& root, std::FILE* out,
                std::FILE* err) {
  Invocation invocation{root, out, err, {}, false};
  Result<CommandLine> line = Parse(arguments);
  if (!line) {
    invocation.Complain(line.error().message());
    return kExitUsage;
  }
  invocation.operands = line->operands;
  invocation.json = line->json;
  int status = Run(*line, invocation);
  if (std::fflush(out) == 0 && std::ferror(out) == 0) return status;
  invocation.Complain("standard output could not be written");
  return kExitFailed;
}

}  // namespace kdumpkit
