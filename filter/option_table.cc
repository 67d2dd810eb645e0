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

constexpr size_t kMostLevels = 32;

Result<std::vector<DumpLevel>> ParseLevels(std::string_view text) {
  std::vector<DumpLevel> levels;
  for (bool more = true; more;) {
    std::string_view number = text.substr(0, text.find(','));
    more = number.size() < text.size();
    text.remove_prefix(std::min(number.size() + 1, text.size()));
    if (levels.size() == kMostLevels)
      return UsageError("-d: a list of levels may have {} of them", kMostLevels);
    levels.push_back(*DumpLevel::Make(TRY(Number("-d", number, 0, kMaxDumpLevel))));
  }
  return levels;
}

// A whole number in base 10, or 16 with 0x, or 8 with 0 before it, as strtoull(3) takes it.
std::optional<uint64_t> ParseUnsigned(std::string_view text, int base = 0) {
  bool hexadecimal =
      (base == 0 || base == 16) && (text.starts_with("0x") || text.starts_with("0X"));
  if (hexadecimal) text.remove_prefix(2);
  if (base == 0) base = hexadecimal ? 16 : text.size() > 1 && text[0] == '0' ? 8 : 10;
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Bytes, with one of K M G T P E behind the number: 1024 of the unit before it.
std::optional<uint64_t> ParseSize(std::string_view text) {
  constexpr std::string_view kSuffixes = "KMGTPE";
  size_t suffix = text.empty() ? std::string_view::npos : kSuffixes.find(text.back() & ~0x20);
  size_t shift = suffix == std::string_view::npos ? 0 : 10 * (suffix + 1);
  // In hexadecimal, E is a digit.
  if (suffix == 5 && (text.starts_with("0x") || text.starts_with("0X"))) shift = 0;
  if (shift > 0) text.remove_suffix(1);
  std::optional<uint64_t> number = ParseUnsigned(text);
  if (!number || *number == 0 || *number > std::numeric_limits<uint64_t>::max() >> shift)
    return std::nullopt;
  return *number << shift;
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
  std::vector<DumpLevel> levels = TRY(ParseLevels(text));
  options.level = levels[0];
  options.further_levels.assign(levels.begin() + 1, levels.end());
  return {};
}

Status SetSizeLimit(std::string_view text, FilterOptions& options) {
  options.size_limit = ParseSize(text);
  if (options.size_limit) return {};
  return UsageError("-L '{}': a number of bytes is wanted, 1 or more (500M; K M G T P E)", text);
}

Status SetTranslate(std::string_view text, FilterOptions& options) {
  std::optional<uint64_t> address = ParseUnsigned(text, 16);
  if (!address)
    return UsageError("--vtop '{}': a virtual address is wanted (ffffffff81000000)", text);
  options.translate = VirtAddr(*address);
  return {};
}

Status SetNonMmap(std::string_view, FilterOptions& options) {
  options.map_input = false;
  return {};
}

// What concerns makedumpfile's own buffers. Memory here is bounded whatever it says.
Status SetWorkDir(std::string_view text, FilterOptions& options) {
  if (text.empty()) return UsageError("--work-dir: the name of a folder is wanted");
  options.without_effect.push_back("--work-dir");
  return {};
}

Status SetCyclicBuffer(std::string_view text, FilterOptions& options) {
  TRY(Number("--cyclic-buffer", text, 1, std::numeric_limits<int>::max()));
  options.without_effect.push_back("--cyclic-buffer");
  return {};
}

Status SetBlockOrder(std::string_view text, FilterOptions& options) {
  TRY(Number("-b", text, 0, 31));
  options.without_effect.push_back("-b");
  return {};
}

Status SetShell(std::string_view shell, FilterOptions& options) {
  options.mode = FilterMode::kCompletion;
  options.shell = shell;
  return {};
}

// Options of makedumpfile that have no counterpart here.
Status RefuseXen(std::string_view, FilterOptions&) {
  return UsageError(
      "dumps of a Xen hypervisor are not supported (-X, --xen-syms, --xen-vmcoreinfo, "
      "--xen_phys_start); filter that vmcore with makedumpfile, or keep it whole");
}
Status RefuseSadump(std::string_view, FilterOptions&) {
  return UsageError(
      "dumps by sadump are not supported (--diskset); make a kdump file of the disks with "
      "makedumpfile, that is read here");
}
Status RefuseEppic(std::string_view, FilterOptions&) {
  return UsageError(
      "eppic scripts are not supported (--eppic): they run code with the filter's rights in a "
      "crash; erase by name with --config");
}
Status RefuseExtension(std::string_view, FilterOptions&) {
  return UsageError(
      "extensions are not supported (--extension): they run code with the filter's rights in a "
      "crash; choose pages with -d, erase data with --config");
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

Status SetSplitBlock(std::string_view text, FilterOptions& options) {
  int kilobytes = TRY(Number("--splitblock-size", text, 1, std::numeric_limits<int>::max()));
  options.split_block = static_cast<uint64_t>(kilobytes) << 10;
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
    {'E', nullptr, nullptr, "write an ELF core, in which what is left out is really absent",
     Set<&FilterOptions::elf, true>},
    {0, "compress-level", "N", "with -c (1 to 9) or -z (1 to 19): smaller and slower than level 1",
     SetCompressLevel},
    {'d', nullptr, "LEVEL[,LEVEL...]",
     "leave out pages: the sum of 1 zero, 2 cache, 4 cache with private data, 8 user, 16 free; "
     "of several levels, the next is tried when there is no room",
     SetLevel},
    {'L', nullptr, "SIZE", "write no more than SIZE bytes (500M; K M G T P E)", SetSizeLimit},
    {'e', nullptr, nullptr, "leave out the memory map of pages that are left out",
     Set<&FilterOptions::drop_vmemmap, true>},
    {'f', nullptr, nullptr, "overwrite DUMPFILE", Set<&FilterOptions::force, true>},
    {'F', nullptr, nullptr, "write to standard output, flattened (for -R and crash)",
     Set<&FilterOptions::stream_fd, STDOUT_FILENO>},
    {'R', nullptr, nullptr, "make DUMPFILE of a flattened STREAM (default: standard input)",
     SetMode<FilterMode::kReassemble>},
    {0, "split", nullptr, "write the dump into several files (2 to 999), of about the same size",
     Set<&FilterOptions::split, true>},
    {0, "splitblock-size", "KB", "with --split: parts begin at multiples of so much memory",
     SetSplitBlock},
    {0, "reassemble", nullptr, "make DUMPFILE of all PARTs of a split dump",
     SetMode<FilterMode::kJoin>},
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
    {0, "check-params", nullptr, "only tell whether the command line would be accepted",
     Set<&FilterOptions::check_params, true>},
    {0, "vtop", "ADDRESS", "show the page tables' way to a (hexadecimal) kernel address",
     SetTranslate},
    {0, "show-stats", nullptr, "print page counts by class", AddMessages<kMessageReport>},
    {0, "show-layout", nullptr, "print what is known of the kernel's pages, and from where",
     SetMode<FilterMode::kShowLayout>},
    {0, "json", "[=FILE]", "print the result as JSON on standard output, or write it to FILE",
     SetJson},
    {0, "message-level", "N",
     "what to print: the sum of 1 progress, 2 common, 4 errors, 8 debug, 16 report (default 7)",
     SetMessageLevel},
    {0, "non-mmap", nullptr, "read /proc/vmcore instead of mapping it", SetNonMmap},
    {0, "work-dir", "DIR", "accepted for makedumpfile's sake: there are no temporary files",
     SetWorkDir},
    {0, "cyclic-buffer", "KB", "accepted for makedumpfile's sake: memory is bounded without it",
     SetCyclicBuffer},
    {'b', nullptr, "ORDER", "accepted for makedumpfile's sake: buffers have the size they need",
     SetBlockOrder},
    {'X', nullptr, nullptr, nullptr, RefuseXen},
    {0, "xen-syms", "FILE", nullptr, RefuseXen},
    {0, "xen-vmcoreinfo", "FILE", nullptr, RefuseXen},
    {0, "xen_phys_start", "ADDRESS", nullptr, RefuseXen},
    {0, "diskset", "FILE", nullptr, RefuseSadump},
    {0, "eppic", "FILE", nullptr, RefuseEppic},
    {0, "extension", "FILE", nullptr, RefuseExtension},
    {0, "completion", "SHELL", nullptr, SetShell},
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
    case FilterMode::kJoin:
      return "--reassemble";
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
    case FilterMode::kTranslate:
      return "--vtop";
    default:
      return "a dump";
  }
}

}  // namespace kdumpkit
