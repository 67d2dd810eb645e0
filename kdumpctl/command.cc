// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/command.h"

#include <fmt/format.h>
#include <getopt.h>

#include <optional>

#include "base/nearest.h"
#include "kdumpctl/completion.h"
#include "kdumpctl/config_commands.h"
#include "kdumpctl/list_commands.h"
#include "kdumpctl/self_test.h"
#include "kdumpctl/service_commands.h"
#include "kdumpctl/status_command.h"
#include "kdumpctl/upkeep_commands.h"

namespace kdumpkit {
namespace {

const Subcommand kSubcommands[] = {
    {"start", "", 0, 0, true, "load the crash kernel; build its image if it is missing or stale",
     Start, kStartOptions},
    {"stop", "", 0, 0, true, "unload the crash kernel", Stop},
    {"restart", "", 0, 0, true, "as start, but load the crash kernel in any case", Restart},
    {"reload", "", 0, 0, true, "load the crash kernel anew with the image that is there", Reload,
     kReloadOptions},
    {"status", "", 0, 0, true, "tell whether a crash now would be saved, and why not", ShowStatus},
    {"test", "", 0, 0, true, "crash this machine, to see whether the crash is saved", Test,
     kTestOptions},
    {"rebuild", "", 0, 0, true, "build the image, stale or not", Rebuild},
    {"showmem", "", 0, 0, true, "show how much memory is reserved for a crash kernel", ShowMemory},
    {"image-files", "FOLDER", 1, 1, false,
     "for dracut and initramfs-tools: write what a capture image needs of ours into FOLDER",
     ImageFiles, kImageFilesOptions},
    {"check-config", "[FILE]", 0, 1, true,
     "check FILE, or kdump.conf with its drop-in files; tell every mistake", CheckConfig},
    {"show-config", "", 0, 0, true, "show all settings in effect, and where each comes from",
     ShowConfig},
    {"import", "debian|suse|fedora [FILE]", 1, 2, false,
     "write another distribution's settings as a kdump.conf on standard output", ImportConfig},
    {"list", "", 0, 0, true, "list the dumps that were saved, newest first", ListCommand},
    {"show", "NAME|PATH", 1, 1, true, "tell all about one dump", ShowCommand},
    {"prune", "", 0, 0, true, "delete the dumps that kdump.conf does not want kept", PruneCommand,
     kPruneOptions},
    {"recover", "", 0, 0, true,
     "after a boot: fetch dumps from raw devices, tell the journal of new dumps, and prune",
     RecoverCommand},
    {"estimate", "", 0, 0, true, "estimate how much memory the capture kernel needs",
     EstimateCommand},
    {"get-default-crashkernel", "[kdump]", 0, 1, true,
     "print the crashkernel= for machines on which nothing is measured yet",
     DefaultCrashkernelCommand},
    {"reset-crashkernel", "[VALUE...]", 0, 4, true,
     "write crashkernel= into the boot loader's configuration", ResetCrashkernelCommand,
     kResetCrashkernelOptions},
    {"propagate", "", 0, 0, true,
     "make an ssh key for the capture kernel, and bring it to the servers of kdump.conf",
     PropagateCommand},
    {"completion", "bash|zsh|fish", 1, 1, false,
     "print the script by which a shell completes kdumpctl's command line", CompletionCommand},
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

std::string WithArgument(const CommandOption& own) {
  return own.argument == nullptr ? own.name : fmt::format("{}={}", own.name, own.argument);
}

std::string Usage(const Subcommand& subcommand) {
  std::string text =
      fmt::format("kdumpctl {}{}", subcommand.name, subcommand.json ? " [--json]" : "");
  for (const CommandOption& own : subcommand.options)
    text += fmt::format(" [--{}]", WithArgument(own));
  return text + (subcommand.operands.empty() ? "" : " ") + std::string(subcommand.operands);
}

std::string OptionsHelp(bool json) {
  std::string text;
  for (const OptionRow& row : kOptions)
    if (json || row.entry.val != kJson)
      text += fmt::format("  {}--{:<10} {}\n", row.letter, row.entry.name, row.help);
  return text;
}

std::string OwnOptionsHelp(const Subcommand& subcommand) {
  std::string text;
  for (const CommandOption& own : subcommand.options)
    text += fmt::format("      --{:<10} {}\n", WithArgument(own), own.help);
  return text;
}

std::string Help() {
  std::string text =
      "Usage: kdumpctl SUBCOMMAND [OPTION]... [OPERAND]...\n"
      "Looks after the saving of crash dumps; see kdumpctl(8).\n\n";
  for (const Subcommand& subcommand : kSubcommands)
    text += fmt::format("  {}\n      {}\n{}", Usage(subcommand), subcommand.help,
                        OwnOptionsHelp(subcommand));
  return text + "\n" + OptionsHelp(true) +
         "\nExit status: 0 in order; 1 not in order, or it could not be done; 2 the command line "
         "is wrong;\n3 not everything could be imported.\n";
}

std::string Help(const Subcommand& subcommand) {
  return fmt::format("Usage: {}\n  {}\n\n{}{}", Usage(subcommand), subcommand.help,
                     OwnOptionsHelp(subcommand), OptionsHelp(subcommand.json));
}

struct CommandLine {
  const Subcommand* subcommand = nullptr;
  std::vector<std::string> operands;
  std::map<std::string, std::string, std::less<>> options;
  bool json = false;
  bool help = false;
  bool version = false;
};

// The table of getopt_long(3); the subcommand's own options follow kOwn.
constexpr int kOwn = 512;

std::vector<option> LongOptions(const Subcommand* subcommand) {
  std::vector<option> table;
  for (const OptionRow& row : kOptions) table.push_back(row.entry);
  int value = kOwn;
  if (subcommand != nullptr)
    for (const CommandOption& own : subcommand->options)
      table.push_back(
          {own.name, own.argument == nullptr ? no_argument : required_argument, nullptr, value++});
  table.push_back({nullptr, 0, nullptr, 0});
  return table;
}

void Take(int found, CommandLine& line) {
  line.json |= found == kJson;
  line.help |= found == 'h';
  line.version |= found == 'v';
  if (found >= kOwn)
    line.options[line.subcommand->options[static_cast<size_t>(found - kOwn)].name] =
        optarg == nullptr ? "" : optarg;
}

// Takes the options of `arguments`; returns what is left. '+' in `letters`: stops at the first
// operand.
Result<std::vector<std::string>> Scan(std::vector<std::string> arguments, const char* letters,
                                      CommandLine& line) {
  std::vector<option> table = LongOptions(line.subcommand);
  std::string program = "kdumpctl";
  std::vector<char*> argv = {program.data()};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  optind = 0;  // glibc: begin anew
  opterr = 0;
  for (int found; (found = getopt_long(argc, argv.data(), letters, table.data(), nullptr)) != -1;) {
    const char* text = argv[static_cast<size_t>(optind - 1)];
    if (found == '?') return UsageError("unknown option '{}'; see 'kdumpctl --help'", text);
    if (found == ':') return UsageError("option '{}' needs a value", text);
    Take(found, line);
  }
  return std::vector<std::string>(argv.begin() + optind, argv.end() - 1);
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
  line.operands = TRY(Scan(std::move(line.operands), ":hv", line));
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
  CommandLine line;
  line.operands = TRY(Scan(arguments, "+:hv", line));
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

std::optional<std::string> Invocation::Value(std::string_view option) const {
  auto found = options.find(option);
  if (found == options.end()) return std::nullopt;
  return found->second;
}

void Invocation::Complain(std::string_view message) const {
  Print(err, fmt::format("kdumpctl: {}\n", message));
}

void Print(std::FILE* out, std::string_view text) { std::fwrite(text.data(), 1, text.size(), out); }

std::span<const Subcommand> Subcommands() { return kSubcommands; }

int RunKdumpctl(const std::vector<std::string>& arguments, const RootDir& root, std::FILE* out,
                std::FILE* err) {
  std::unique_ptr<LiveSystem> system = MakeLiveSystem();
  return RunKdumpctl(arguments, root, *system, out, err);
}

int RunKdumpctl(const std::vector<std::string>& arguments, const RootDir& root, LiveSystem& system,
                std::FILE* out, std::FILE* err) {
  Invocation invocation{root, system, out, err, {}, false, {}};
  Result<CommandLine> line = Parse(arguments);
  if (!line) {
    invocation.Complain(line.error().message());
    return kExitUsage;
  }
  invocation.operands = line->operands;
  invocation.json = line->json;
  invocation.options = line->options;
  int status = Run(*line, invocation);
  if (std::fflush(out) == 0 && std::ferror(out) == 0) return status;
  invocation.Complain("standard output could not be written");
  return kExitFailed;
}

}  // namespace kdumpkit
