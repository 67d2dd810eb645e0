// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of kdump-filter: makedumpfile's, as far as its functions exist here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dumpfile/codec.h"
#include "filter/dump_level.h"
#include "filter/log_output.h"

namespace kdumpkit {

// Bits of --message-level.
enum MessageBit : int {
  kMessageProgress = 1,
  kMessageCommon = 2,
  kMessageError = 4,
  kMessageDebug = 8,
  kMessageReport = 16,
};

enum class FilterMode {
  kDump,
  kDmesg,
  kVerify,
  kReassemble,  // -R: of a flattened stream
  kJoin,        // --reassemble: of the parts of a split dump
  kShowLayout,
  kInfo,
  kCompare,
  kMemUsage,
  kGenerate,
  kTranslate,
  kCompletion,
  kHelp,
  kVersion
};

// Files that the user gives of the dead kernel's names; empty: none.
struct NameSources {
  std::string vmlinux;     // -x
  std::string vmcoreinfo;  // -i: text, as -g makes it
  bool empty() const { return vmlinux.empty() && vmcoreinfo.empty(); }
};

inline constexpr int kMaxFilterThreads = 1024;
inline constexpr size_t kMinParts = 2, kMaxParts = 999;  // of a split dump

struct FilterOptions {
  FilterMode mode = FilterMode::kDump;
  DumpLevel level = *DumpLevel::Make(0);
  std::vector<DumpLevel> further_levels;  // of -d: tried in order when there is no room
  std::optional<uint64_t> size_limit;     // -L: bytes of the output, or of the stream with -F
  bool drop_vmemmap = false;              // -e
  bool check_params = false;              // look whether the run would be accepted, write nothing
  std::optional<VirtAddr> translate;      // --vtop
  bool map_input = true;                  // --non-mmap: false
  std::vector<std::string_view> without_effect;  // options that are accepted, but change nothing
  Codec codec = Codec::kNone;
  NameSources names;
  std::optional<int> compress_level;    // one that the codec has; none: the fastest
  bool split = false;                   // into `parts`
  std::optional<uint64_t> split_block;  // bytes; each part begins at a multiple; none: 64 pages
  bool elf = false;                     // -E: an ELF core, not a kdump file
  bool force = false;
  bool dry_run = false;
  bool strict = false;  // a level that a failed check makes doubtful is lowered
  bool json = false;
  std::string json_file;  // --json=FILE; empty: standard output
  int message_level = kMessageProgress | kMessageCommon | kMessageError;
  int threads = 1;
  std::string shell;   // of --completion
  std::string vmcore;  // the dump with --verify; the stream with -R, empty: stdin
  std::string other;   // the second file of --compare
  // Of --split the parts to write, of --reassemble those to read.
  std::vector<std::string> parts;
  // Empty with --split; may be with --dry-run; is with -F and what only reads.
  std::string output;
  std::optional<uint64_t> sample;  // of --verify: decompress so many pages; none: all
  std::optional<int> stream_fd;    // -F: a flattened dump goes to this descriptor, not to a file

  std::string erase_config;    // --config: a script of what is to be erased; empty: nothing
  bool erase_lenient = false;  // go on without what of it cannot be found

  // Of --dump-dmesg.
  bool partial_dmesg = false;  // only what came since the log was last cleared
  bool dmesg_json = false;     // a JSON object a record
  unsigned dmesg_levels = kAllLogLevels;

  bool Shows(MessageBit bit) const { return (message_level & bit) != 0; }
};

// `arguments` without argv[0]; `cpus` is the default number of threads. Errors are kUsage and say
// which argument is wrong and what would be right.
Result<FilterOptions> ParseFilterOptions(const std::vector<std::string>& arguments, int cpus);

// The same when called as vmcore-dmesg, whose command line is that of kexec-tools' program.
Result<FilterOptions> ParseVmcoreDmesgOptions(const std::vector<std::string>& arguments);

// The text of --help; `program` is the name it was called by.
std::string FilterHelp(std::string_view program);
std::string VmcoreDmesgHelp(std::string_view program);

}  // namespace kdumpkit
