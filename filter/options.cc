// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/options.h"

#include <getopt.h>

#include <algorithm>

#include "filter/option_table.h"

namespace kdumpkit {
namespace {

// What getopt returns for a row without a letter: this, and its place in the table.
constexpr int kFirstLongOnly = 256;

int ValueOf(const FilterOptionRow& row) {
  if (row.letter != 0) return row.letter;
  return kFirstLongOnly + static_cast<int>(&row - FilterOptionTable().data());
}

const FilterOptionRow& RowOf(int value) {
  for (const FilterOptionRow& row : FilterOptionTable())
    if (ValueOf(row) == value) return row;
  CHECK(false);
}

struct GetoptTables {
  std::string short_options = ":";  // a leading ':' tells a missing argument from a bad option
  std::vector<option> long_options;
};

GetoptTables MakeTables() {
  GetoptTables tables;
  for (const FilterOptionRow& row : FilterOptionTable()) {
    int has_argument = row.argument == nullptr  ? no_argument
                       : row.argument[0] == '[' ? optional_argument
                                                : required_argument;
    if (row.letter != 0) {
      tables.short_options += row.letter;
      if (row.argument != nullptr) tables.short_options += ':';
    }
    if (row.name != nullptr)
      tables.long_options.push_back({row.name, has_argument, nullptr, ValueOf(row)});
  }
  tables.long_options.push_back({nullptr, 0, nullptr, 0});
  return tables;
}

// Whether -d asks for anything to be left out.
bool LeavesOut(const FilterOptions& options) {
  return options.level.bits() != 0 || !options.further_levels.empty();
}

Status CheckNames(const FilterOptions& options) {
  const NameSources& names = options.names;
  if (!names.vmlinux.empty() && !names.vmcoreinfo.empty())
    return UsageError("-x and -i exclude each other: a vmlinux has all that -g writes");
  FilterMode mode = options.mode;
  if (mode == FilterMode::kGenerate) {
    if (names.vmlinux.empty()) return UsageError("-g wants the vmlinux to read, -x VMLINUX");
    if (options.codec != Codec::kNone || LeavesOut(options) || options.elf)
      return UsageError("-g writes no dump: -c, -l, -p, -z, -d and -E are not for it");
    return {};
  }
  bool asks = mode == FilterMode::kDump || mode == FilterMode::kDmesg ||
              mode == FilterMode::kShowLayout || mode == FilterMode::kMemUsage;
  if (!names.empty() && !asks) return UsageError("-x and -i are not for {}", ModeOption(mode));
  return {};
}

// What is about a dump, and means nothing where none is made. Refused rather than ignored: whoever
// says it expects something.
Status CheckDumpOptions(const FilterOptions& options) {
  if (options.mode == FilterMode::kDump) return {};
  std::string_view mode = ModeOption(options.mode);
  if (options.size_limit && options.mode != FilterMode::kDmesg)
    return UsageError("-L and {} exclude each other", mode);
  if (options.drop_vmemmap) return UsageError("-e and {} exclude each other", mode);
  if (options.strict) return UsageError("--strict and {} exclude each other", mode);
  if (options.translate) return UsageError("--vtop and {} exclude each other", mode);
  if (options.split) return UsageError("--split and {} exclude each other", mode);
  bool packs = options.mode == FilterMode::kReassemble || options.mode == FilterMode::kJoin;
  if (packs && options.codec != Codec::kNone)
    return UsageError("{} and compression exclude each other: pages are taken over as they are",
                      mode);
  if (packs && LeavesOut(options))
    return UsageError("{0} and -d exclude each other: filter the dump that {0} makes", mode);
  return {};
}

Status CheckSplit(const FilterOptions& options) {
  if (options.split_block && !options.split)
    return UsageError("--splitblock-size is for --split only");
  if (!options.split) return {};
  if (options.elf)
    return UsageError("--split and -E exclude each other: only kdump files can be parts of a dump");
  if (options.stream_fd)
    return UsageError("--split and -F exclude each other: there is one standard output");
  if (options.size_limit)
    return UsageError(
        "--split and -L exclude each other: how large a part becomes is not chosen; take more "
        "parts");
  return {};
}

Status CheckCompressLevel(const FilterOptions& options) {
  if (!options.compress_level) return {};
  std::optional<CodecLevels> levels = LevelsOf(options.codec);
  if (!levels)
    return UsageError(
        "--compress-level is for zlib (-c) and zstd (-z) only; {} has no levels",
        options.codec == Codec::kNone ? "what is not compressed" : CodecName(options.codec));
  if (*options.compress_level > levels->highest)
    return UsageError("--compress-level {}: {} has levels from {} to {}", *options.compress_level,
                      CodecName(options.codec), levels->lowest, levels->highest);
  return {};
}

Status CheckCombinations(const FilterOptions& options) {
  TRY(CheckNames(options));
  TRY(CheckDumpOptions(options));
  TRY(CheckSplit(options));
  if (options.dry_run && options.mode != FilterMode::kDump)
    return UsageError("--dry-run and {} exclude each other", ModeOption(options.mode));
  bool streams = options.mode == FilterMode::kDump || options.mode == FilterMode::kDmesg;
  if (options.stream_fd && !streams)
    return UsageError("-F and {} exclude each other", ModeOption(options.mode));
  if (options.elf && options.mode != FilterMode::kDump)
    return UsageError("-E and {} exclude each other", ModeOption(options.mode));
  if (options.elf && options.codec != Codec::kNone)
    return UsageError(
        "-E and {} compression exclude each other: pages of an ELF core are never compressed",
        CodecName(options.codec));
  if (!options.erase_config.empty() && options.mode != FilterMode::kDump)
    return UsageError("--config and {} exclude each other", ModeOption(options.mode));
  if (options.erase_lenient && options.erase_config.empty())
    return UsageError("--config-lenient is for --config only");
  if (options.elf && options.stream_fd && options.size_limit)
    return UsageError(
        "-L, -E and -F exclude each other: the headers of an ELF core come last in a stream, and "
        "their size is not known before; write a kdump stream (without -E)");
  TRY(CheckCompressLevel(options));
  if (options.sample && options.mode != FilterMode::kVerify)
    return UsageError("--sample is for --verify only");
  bool about_log =
      options.partial_dmesg || options.dmesg_json || options.dmesg_levels != kAllLogLevels;
  if (about_log && options.mode != FilterMode::kDmesg)
    return UsageError("--partial-dmesg, --dmesg-level and --dmesg-json are for --dump-dmesg only");
  if (options.stream_fd && options.json && options.json_file.empty())
    return UsageError("-F and --json both want standard output; write --json=FILE");
  return {};
}

// One file that is only read; --compare takes two.
Status TakeFiles(const std::vector<std::string>& operands, FilterOptions& options) {
  size_t wanted = options.mode == FilterMode::kCompare ? 2 : 1;
  if (operands.size() < wanted)
    return UsageError("{} wants {}; try --help", ModeOption(options.mode),
                      wanted == 2 ? "two files" : "a file");
  if (operands.size() > wanted) return UsageError("'{}' is one operand too many", operands[wanted]);
  options.vmcore = operands[0];
  if (wanted == 2) options.other = operands[1];
  return {};
}

// DUMPFILE [STREAM]
Status TakeReassembleOperands(const std::vector<std::string>& operands, FilterOptions& options) {
  if (operands.empty()) return UsageError("no DUMPFILE is given; try --help");
  if (operands.size() > 2) return UsageError("'{}' is one operand too many", operands[2]);
  options.output = operands[0];
  if (operands.size() == 2) options.vmcore = operands[1];
  return {};
}

// Of --split and --reassemble. A name that is there twice would be one file.
Status TakeParts(std::vector<std::string> parts, FilterOptions& options) {
  if (parts.size() < kMinParts || parts.size() > kMaxParts)
    return UsageError("a split dump has {} to {} parts, not {}; try --help", kMinParts, kMaxParts,
                      parts.size());
  options.parts = parts;
  std::sort(parts.begin(), parts.end());
  auto twice = std::adjacent_find(parts.begin(), parts.end());
  if (twice != parts.end()) return UsageError("'{}' is there twice among the parts", *twice);
  return {};
}

// VMCORE PART PART...
Status TakeSplitOperands(const std::vector<std::string>& operands, FilterOptions& options) {
  if (operands.empty()) return UsageError("no VMCORE is given; try --help");
  options.vmcore = operands[0];
  return TakeParts({operands.begin() + 1, operands.end()}, options);
}

// PART PART... DUMPFILE
Status TakeJoinOperands(const std::vector<std::string>& operands, FilterOptions& options) {
  if (operands.empty()) return UsageError("no DUMPFILE is given; try --help");
  options.output = operands.back();
  return TakeParts({operands.begin(), operands.end() - 1}, options);
}

Status TakeOperands(const std::vector<std::string>& operands, FilterOptions& options) {
  TRY(CheckCombinations(options));
  if (options.mode == FilterMode::kGenerate) {
    if (operands.empty()) return {};
    return UsageError("'{}' is one operand too many: -g reads the vmlinux only", operands[0]);
  }
  if (options.mode == FilterMode::kCompletion) return {};
  if (options.mode == FilterMode::kReassemble) return TakeReassembleOperands(operands, options);
  if (options.mode == FilterMode::kJoin) return TakeJoinOperands(operands, options);
  if (options.split) return TakeSplitOperands(operands, options);
  if (options.mode != FilterMode::kDump && options.mode != FilterMode::kDmesg)
    return TakeFiles(operands, options);
  bool output_needed = !options.dry_run || options.mode == FilterMode::kDmesg;
  size_t most = options.stream_fd ? 1 : 2;
  // --vtop needs no dump to be made.
  if (options.translate && !options.dry_run && operands.size() == 1 && most == 2) {
    options.mode = FilterMode::kTranslate;
    return TakeFiles(operands, options);
  }
  if (operands.empty()) return UsageError("no VMCORE is given; try --help");
  if (operands.size() < most && output_needed)
    return UsageError("no output file is given for '{}'; try --help", operands[0]);
  if (operands.size() > most)
    return UsageError("'{}' is one operand too many{}", operands[most],
                      options.stream_fd ? ": -F writes to standard output" : "");
  options.vmcore = operands[0];
  if (operands.size() == 2) options.output = operands[1];
  return {};
}

}  // namespace

Result<FilterOptions> ParseFilterOptions(const std::vector<std::string>& arguments, int cpus) {
  FilterOptions options;
  options.threads = std::clamp(cpus, 1, kMaxFilterThreads);
  GetoptTables tables = MakeTables();
  std::vector<std::string> copies = arguments;
  std::string program = "kdump-filter";
  std::vector<char*> argv = {program.data()};
  for (std::string& argument : copies) argv.push_back(argument.data());
  int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  optind = 0;  // glibc: begin anew
  opterr = 0;
  for (;;) {
    // getopt moves operands behind options, so the word it speaks of is the one it just passed.
    int option = getopt_long(argc, argv.data(), tables.short_options.c_str(),
                             tables.long_options.data(), nullptr);
    if (option == -1) break;
    const char* word = argv[static_cast<size_t>(optind - 1)];
    if (option == 'h' || option == 'v') {
      options.mode = option == 'h' ? FilterMode::kHelp : FilterMode::kVersion;
      return options;
    }
    if (option == ':') return UsageError("'{}' wants an argument", word);
    if (option == '?') {
      if (optopt > 0 && optopt < 256)
        return UsageError("unknown option '-{:c}'; try --help", optopt);
      return UsageError("unknown option '{}'; try --help", word);
    }
    TRY(RowOf(option).apply(optarg != nullptr ? optarg : "", options));
  }
  TRY(TakeOperands({argv.begin() + optind, argv.end() - 1}, options));
  return options;
}

Result<FilterOptions> ParseVmcoreDmesgOptions(const std::vector<std::string>& arguments) {
  FilterOptions options;
  options.mode = FilterMode::kDmesg;
  options.stream_fd = STDOUT_FILENO;
  options.message_level = kMessageError;
  std::vector<std::string> operands;
  bool options_end = false;
  for (const std::string& word : arguments) {
    bool is_option = !options_end && word.size() > 1 && word[0] == '-';
    if (is_option && (word == "-h" || word == "--help"))
      options.mode = FilterMode::kHelp;
    else if (is_option && (word == "-v" || word == "--version"))
      options.mode = FilterMode::kVersion;
    else if (is_option && word == "--")
      options_end = true;
    else if (is_option)
      return UsageError("unknown option '{}'; try -h", word);
    else
      operands.push_back(word);
  }
  if (options.mode != FilterMode::kDmesg) return options;
  if (operands.empty()) return UsageError("no VMCORE is given; try -h");
  if (operands.size() > 1) return UsageError("'{}' is one operand too many", operands[1]);
  options.vmcore = operands[0];
  return options;
}

std::string VmcoreDmesgHelp(std::string_view program) {
  return fmt::format(
      "Usage: {} VMCORE\n"
      "Writes the log of the kernel that crashed to standard output.\n\n"
      "  -h, --help             print this help\n"
      "  -v, --version          print the version\n\n"
      "Exit status: 0 the whole log was written; 1 there is none; 2 the command line is wrong;\n"
      "3 the log is damaged, what could be read was written.\n",
      program);
}

std::string FilterHelp(std::string_view program) {
  std::string text = fmt::format(
      "Usage: {0} [-c|-l|-p|-z] [-d LEVEL] [OPTION]... VMCORE DUMPFILE\n"
      "       {0} -F [-c|-l|-p|-z] [-d LEVEL] [OPTION]... VMCORE >STREAM\n"
      "       {0} --dump-dmesg [-f] VMCORE LOGFILE\n"
      "       {0} --info FILE\n"
      "       {0} --compare FILE FILE\n"
      "       {0} --mem-usage VMCORE\n"
      "       {0} -R [-f] DUMPFILE [STREAM]\n"
      "       {0} --split [OPTION]... VMCORE PART PART...\n"
      "       {0} --reassemble [-f] PART PART... DUMPFILE\n"
      "       {0} --verify [--sample N] DUMPFILE\n"
      "       {0} --show-layout [--json] VMCORE\n"
      "       {0} -g FILE -x VMLINUX\n"
      "       {0} --vtop ADDRESS VMCORE\n"
      "Reads the memory of a crashed kernel and writes the pages that matter.\n\n",
      program);
  for (const FilterOptionRow& row : FilterOptionTable()) {
    if (row.help == nullptr) continue;
    std::string names = row.letter != 0 ? fmt::format("-{}", row.letter) : "   ";
    if (row.name != nullptr) names += fmt::format("{}--{}", row.letter != 0 ? ", " : " ", row.name);
    if (row.argument != nullptr)
      names += fmt::format("{}{}", row.argument[0] == '[' ? "" : " ", row.argument);
    text += fmt::format("  {:<22} {}\n", names, row.help);
  }
  text +=
      "\nExit status: 0 the dump is complete; 1 there is no dump; 2 the command line is wrong;\n"
      "3 there is a dump, but it is not what was asked for (see the warnings).\n"
      "With --verify: 0 the dump is whole; 1 it is broken, or unreadable; 3 it is marked "
      "incomplete,\n"
      "but what there is is sound.\n"
      "With --show-layout: 0 every rule is on; 1 nothing is known; 3 something is missing.\n";
  return text;
}

}  // namespace kdumpkit
