// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/option_table.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace kdumpkit {
namespace {

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

// A row's function that sets one field.
template <auto kField, auto kValue>
Status Set(std::string_view, FilterOptions& options) {
  options.*kField = kValue;
  return {};
}

template <FilterMode kMode>
Status SetMode(std::string_view, FilterOptions& options) {
  if (options.mode != FilterMode::kDump && options.mode != kMode)
    return UsageError("{} and {} exclude each other", ModeOption(options.mode), ModeOption(kMode));
  options.mode = kMode;
  return {};
}

template <MessageBit kBit>
Status AddMessages(std::string_view, FilterOptions& options) {
  options.message_level |= kBit;
  return {};
}

Status SetLevel(std::string_view text, FilterOptions& options) {
  options.level = TRY(ParseLevel(text));
  return {};
}

Status SetJson(std::string_view file, FilterOptions& options) {
  options.json = true;
  options.json_file = file;
  return {};
}

Status SetLogLevels(std::string_view text, FilterOptions& options) {
  options.dmesg_levels = TRY(ParseLogLevels(text));
  return {};
}

Status SetSample(std::string_view text, FilterOptions& options) {
  options.sample =
      static_cast<uint64_t>(TRY(Number("--sample", text, 1, std::numeric_limits<int>::max())));
  return {};
}

// makedumpfile's 0 means "no extra threads".
Status SetThreads(std::string_view text, FilterOptions& options) {
  options.threads = std::max(1, TRY(Number("--num-threads", text, 0, kMaxFilterThreads)));
  return {};
}

Status SetMessageLevel(std::string_view text, FilterOptions& options) {
  options.message_level = TRY(Number("--message-level", text, 0, 31));
  return {};
}

Status SetGenerate(std::string_view file, FilterOptions& options) {
  options.output = file;
  return SetMode<FilterMode::kGenerate>(file, options);
}

template <auto kField>
Status SetNames(std::string_view file, FilterOptions& options) {
  options.names.*kField = file;
  return {};
}

Status SetConfig(std::string_view file, FilterOptions& options) {
  if (file.empty()) return UsageError("--config wants a file");
  options.erase_config = file;
  return {};
}

// Which of these the codec has is checked when all options are known.
Status SetCompressLevel(std::string_view text, FilterOptions& options) {
  options.compress_level = TRY(Number("--compress-level", text, 1, 19));
  return {};
}

constexpr FilterOptionRow kRows[] = {
    {'c', nullptr, nullptr, "compress pages with zlib", Set<&FilterOptions::codec, Codec::kZlib>},
    {'l', nullptr, nullptr, "compress pages with lzo", Set<&FilterOptions::codec, Codec::kLzo>},
    {'p', nullptr, nullptr, "compress pages with snappy",
     Set<&FilterOptions::codec, Codec::kSnappy>},
    {'z', nullptr, nullptr, "compress pages with zstd", Set<&FilterOptions::codec, Codec::kZstd>},
    {0, "compress-level", "N", "with -c (1 to 9) or -z (1 to 19): smaller and slower than level 1",
     SetCompressLevel},
    {'d', nullptr, "LEVEL",
     "leave out pages: the sum of 1 zero, 2 cache, 4 cache with private data, 8 user, 16 free",
     SetLevel},
    {'E', nullptr, nullptr, "write an ELF core, in which what is left out is really absent",
     Set<&FilterOptions::elf, true>},
    {'f', nullptr, nullptr, "overwrite DUMPFILE", Set<&FilterOptions::force, true>},
    {'F', nullptr, nullptr, "write to standard output, flattened (for -R and crash)",
     Set<&FilterOptions::stream_fd, STDOUT_FILENO>},
    {'R', nullptr, nullptr, "make DUMPFILE of a flattened STREAM (default: standard input)",
     SetMode<FilterMode::kReassemble>},
    {'x', nullptr, "VMLINUX", "take what the vmcore lacks from the dead kernel's VMLINUX",
     SetNames<&NameSources::vmlinux>},
    {'i', nullptr, "FILE", "take what the vmcore's VMCOREINFO lacks from FILE (made by -g)",
     SetNames<&NameSources::vmcoreinfo>},
    {'g', nullptr, "FILE", "write VMCOREINFO as far as VMLINUX (-x) has it to FILE", SetGenerate},
    {0, "verify", nullptr, "check DUMPFILE: headers, bitmaps, descriptors, every page",
     SetMode<FilterMode::kVerify>},
    {0, "sample", "N", "with --verify: decompress only N pages, spread evenly", SetSample},
    {0, "num-threads", "N", "compress with N threads (default: all CPUs online)", SetThreads},
    {0, "config", "FILE", "erase from the dump what FILE names (makedumpfile.conf(5))", SetConfig},
    {0, "config-lenient", nullptr, "with --config: go on without what cannot be found",
     Set<&FilterOptions::erase_lenient, true>},
    {0, "dump-dmesg", nullptr, "write the dead kernel's log, not a dump",
     SetMode<FilterMode::kDmesg>},
    {0, "partial-dmesg", nullptr,
     "with --dump-dmesg: only what came since the log was last cleared",
     Set<&FilterOptions::partial_dmesg, true>},
    {0, "dmesg-level", "LEVELS",
     "with --dump-dmesg: only these levels (err,warn or warn+ or 0,1,2)", SetLogLevels},
    {0, "dmesg-json", nullptr, "with --dump-dmesg: one JSON object a line",
     Set<&FilterOptions::dmesg_json, true>},
    {0, "info", nullptr, "say what FILE is: format, kernel, machine, level, pages, notes",
     SetMode<FilterMode::kInfo>},
    {0, "compare", nullptr, "compare the memory in two files, page by page",
     SetMode<FilterMode::kCompare>},
    {0, "mem-usage", nullptr,
     "count VMCORE's pages by class, estimate dump sizes by level and codec",
     SetMode<FilterMode::kMemUsage>},
    {0, "dry-run", nullptr, "do everything except writing; DUMPFILE may be left out",
     Set<&FilterOptions::dry_run, true>},
    {0, "strict", nullptr, "lower the level where the kernel's own counts of pages disagree",
     Set<&FilterOptions::strict, true>},
    {0, "show-stats", nullptr, "print page counts by class", AddMessages<kMessageReport>},
    {0, "show-layout", nullptr, "print what is known of the kernel's pages, and from where",
     SetMode<FilterMode::kShowLayout>},
    {0, "json", "[=FILE]", "print the result as JSON on standard output, or write it to FILE",
     SetJson},
    {0, "message-level", "N",
     "what to print: the sum of 1 progress, 2 common, 4 errors, 8 debug, 16 report (default 7)",
     SetMessageLevel},
    {'D', nullptr, nullptr, "print debug messages", AddMessages<kMessageDebug>},
    {'h', "help", nullptr, "print this help", nullptr},
    {'v', "version", nullptr, "print the version", nullptr},
};

}  // namespace

std::span<const FilterOptionRow> FilterOptionTable() { return kRows; }

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
    case FilterMode::kGenerate:
      return "-g";
    case FilterMode::kMemUsage:
      return "--mem-usage";
    default:
      return "a dump";
  }
}

}  // namespace kdumpkit
