// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/options.h"

#include <getopt.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace kdumpkit {
namespace {

constexpr int kMaxThreads = 1024;

// Values of options that have no short form.
enum LongOnly : int {
  kNumThreads = 256,
  kMessageLevel,
  kDumpDmesg,
  kDryRun,
  kShowStats,
  kJson,
  kVerify,
  kSample,
  kShowLayout,
  kInfo,
  kCompare,
  kMemUsage,
  kPartialDmesg,
  kDmesgLevel,
  kDmesgJson
};

struct OptionRow {
  int value;  // the short option's character, or a LongOnly
  const char* name;
  const char* argument;  // null: takes none; with '[' before it, it may be left out
  const char* help;
};

// The one list of options: parsing and --help both come from it.
constexpr OptionRow kRows[] = {
    {'c', nullptr, nullptr, "compress pages with zlib"},
    {'l', nullptr, nullptr, "compress pages with lzo"},
    {'p', nullptr, nullptr, "compress pages with snappy"},
    {'z', nullptr, nullptr, "compress pages with zstd"},
    {'E', nullptr, nullptr, "write an ELF core, in which what is left out is really absent"},
    {'d', nullptr, "LEVEL",
     "leave out pages: the sum of 1 zero, 2 cache, 4 cache with private data, 8 user, 16 free"},
    {'f', nullptr, nullptr, "overwrite DUMPFILE"},
    {'F', nullptr, nullptr, "write to standard output, flattened (for -R and crash)"},
    {'R', nullptr, nullptr, "make DUMPFILE of a flattened STREAM (default: standard input)"},
    {kVerify, "verify", nullptr, "check DUMPFILE: headers, bitmaps, descriptors, every page"},
    {kSample, "sample", "N", "with --verify: decompress only N pages, spread evenly"},
    {kNumThreads, "num-threads", "N", "compress with N threads (default: all CPUs online)"},
    {kDumpDmesg, "dump-dmesg", nullptr, "write the dead kernel's log, not a dump"},
    {kPartialDmesg, "partial-dmesg", nullptr,
     "with --dump-dmesg: only what came since the log was last cleared"},
    {kDmesgLevel, "dmesg-level", "LEVELS",
     "with --dump-dmesg: only these levels (err,warn or warn+ or 0,1,2)"},
    {kDmesgJson, "dmesg-json", nullptr, "with --dump-dmesg: one JSON object a line"},
    {kInfo, "info", nullptr, "say what FILE is: format, kernel, machine, level, pages, notes"},
    {kCompare, "compare", nullptr, "compare the memory in two files, page by page"},
    {kMemUsage, "mem-usage", nullptr,
     "count VMCORE's pages by class, estimate dump sizes by level and codec"},
    {kDryRun, "dry-run", nullptr, "do everything except writing; DUMPFILE may be left out"},
    {kShowStats, "show-stats", nullptr, "print page counts by class"},
    {kShowLayout, "show-layout", nullptr,
     "print what is known of the kernel's pages, and from where"},
    {kJson, "json", "[=FILE]", "print the result as JSON on standard output, or write it to FILE"},
    {kMessageLevel, "message-level", "N",
     "what to print: the sum of 1 progress, 2 common, 4 errors, 8 debug, 16 report (default 7)"},
    {'D', nullptr, nullptr, "print debug messages"},
    {'h', "help", nullptr, "print this help"},
    {'v', "version", nullptr, "print the version"},
};

Result<int> Number(std::string_view name, std::string_view text, int lowest, int highest) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < lowest || value > highest)
    return UsageError("{} '{}': a whole number from {} to {} is wanted", name, text, lowest,
                      highest);
  return value;
}

Result<DumpLevel> ParseLevel(std::string_view text) {
  if (text.find(',') != std::string_view::npos)
    return UsageError("-d '{}': lists of levels are not supported, give one level", text);
  return *DumpLevel::Make(TRY(Number("-d", text, 0, kMaxDumpLevel)));
}

std::string_view ModeOption(FilterMode mode) {
  switch (mode) {
    case FilterMode::kDmesg:
      return "--dump-dmesg";
    case FilterMode::kVerify:
      return "--verify";
    case FilterMode::kReassemble:
      return "-R";
    case FilterMode::kInfo:
      return "--info";
    case FilterMode::kCompare:
      return "--compare";
    case FilterMode::kShowLayout:
      return "--show-layout";
    case FilterMode::kMemUsage:
      return "--mem-usage";
    default:
      return "a dump";
  }
}

Status SetMode(FilterMode mode, FilterOptions& options) {
  if (options.mode != FilterMode::kDump && options.mode != mode)
    return UsageError("{} and {} exclude each other", ModeOption(options.mode), ModeOption(mode));
  options.mode = mode;
  return {};
}

Result<uint64_t> ParseSample(std::string_view text) {
  return static_cast<uint64_t>(TRY(Number("--sample", text, 1, std::numeric_limits<int>::max())));
}

Status Apply(int option, std::string_view argument, FilterOptions& options) {
  switch (option) {
    case 'c':
      options.codec = Codec::kZlib;
      break;
    case 'l':
      options.codec = Codec::kLzo;
      break;
    case 'p':
      options.codec = Codec::kSnappy;
      break;
    case 'z':
      options.codec = Codec::kZstd;
      break;
    case 'd':
      options.level = TRY(ParseLevel(argument));
      break;
    case 'E':
      options.elf = true;
      break;
    case 'f':
      options.force = true;
      break;
    case 'F':
      options.stream_fd = STDOUT_FILENO;
      break;
    case 'D':
      options.message_level |= kMessageDebug;
      break;
    case kShowStats:
      options.message_level |= kMessageReport;
      break;
    case kJson:
      options.json = true;
      options.json_file = argument;
      break;
    case kDryRun:
      options.dry_run = true;
      break;
    case kDumpDmesg:
      return SetMode(FilterMode::kDmesg, options);
    case 'R':
      return SetMode(FilterMode::kReassemble, options);
    case kVerify:
      return SetMode(FilterMode::kVerify, options);
    case kShowLayout:
      return SetMode(FilterMode::kShowLayout, options);
    case kInfo:
      return SetMode(FilterMode::kInfo, options);
    case kCompare:
      return SetMode(FilterMode::kCompare, options);
    case kMemUsage:
      return SetMode(FilterMode::kMemUsage, options);
    case kPartialDmesg:
      options.partial_dmesg = true;
      break;
    case kDmesgLevel:
      options.dmesg_levels = TRY(ParseLogLevels(argument));
      break;
    case kDmesgJson:
      options.dmesg_json = true;
      break;
    case kSample:
      options.sample = TRY(ParseSample(argument));
      break;
    case kNumThreads:
      // makedumpfile's 0 means "no extra threads".
      options.threads = std::max(1, TRY(Number("--num-threads", argument, 0, kMaxThreads)));
      break;
    case kMessageLevel:
      options.message_level = TRY(Number("--message-level", argument, 0, 31));
      break;
    default:
      CHECK(false);
  }
  return {};
}

struct GetoptTables {
  std::string short_options = ":";  // a leading ':' tells a missing argument from a bad option
  std::vector<option> long_options;
};

GetoptTables MakeTables() {
  GetoptTables tables;
  for (const OptionRow& row : kRows) {
    int has_argument = row.argument == nullptr  ? no_argument
                       : row.argument[0] == '[' ? optional_argument
                                                : required_argument;
    if (row.value < 256) {
      tables.short_options += static_cast<char>(row.value);
      if (row.argument != nullptr) tables.short_options += ':';
    }
    if (row.name != nullptr)
      tables.long_options.push_back({row.name, has_argument, nullptr, row.value});
  }
  tables.long_options.push_back({nullptr, 0, nullptr, 0});
  return tables;
}

Status CheckCombinations(const FilterOptions& options) {
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

Status TakeOperands(const std::vector<std::string>& operands, FilterOptions& options) {
  TRY(CheckCombinations(options));
  if (options.mode == FilterMode::kReassemble) return TakeReassembleOperands(operands, options);
  if (options.mode != FilterMode::kDump && options.mode != FilterMode::kDmesg)
    return TakeFiles(operands, options);
  bool output_needed = !options.dry_run || options.mode == FilterMode::kDmesg;
  size_t most = options.stream_fd ? 1 : 2;
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
  options.threads = std::clamp(cpus, 1, kMaxThreads);
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
    TRY(Apply(option, optarg != nullptr ? optarg : "", options));
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
      "       {0} --verify [--sample N] DUMPFILE\n"
      "       {0} --show-layout [--json] VMCORE\n"
      "Reads the memory of a crashed kernel and writes the pages that matter.\n\n",
      program);
  for (const OptionRow& row : kRows) {
    std::string names = row.value < 256 ? fmt::format("-{:c}", row.value) : "   ";
    if (row.name != nullptr) names += fmt::format("{}--{}", row.value < 256 ? ", " : " ", row.name);
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
