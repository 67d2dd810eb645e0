// SPDX-License-Identifier: GPL-2.0-or-later
// kdump-filter: reads the memory of a crashed kernel, writes a dump. Also answers to the name
// makedumpfile, and as vmcore-dmesg writes a log only.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "filter/check_params.h"
#include "filter/compare.h"
#include "filter/completion.h"
#include "filter/dump.h"
#include "filter/info.h"
#include "filter/join.h"
#include "filter/mem_usage.h"
#include "filter/show_layout.h"
#include "filter/verify.h"

namespace kdumpkit {
namespace {

// Exit statuses; kdump-filter(8) describes them.
enum ExitStatus : int { kExitComplete = 0, kExitFailed = 1, kExitUsage = 2, kExitPartial = 3 };

std::atomic<bool> stop_requested = false;
static_assert(std::atomic<bool>::is_always_lock_free);

void RequestStop(int) { stop_requested = true; }

// The first signal ends the dump in an orderly way; a second one of the same kind kills.
void CatchSignals() {
  struct sigaction action = {};
  action.sa_handler = RequestStop;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  // A reader of our progress that goes away must not end the dump.
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
}

int OnlineCpus() {
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0) return CPU_COUNT(&cpus);
  return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
}

void Print(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

void PrintError(std::string_view program, std::string_view text) {
  Print(stderr, fmt::format("{}: {}\n", program, text));
}

void PrintWarnings(std::string_view program, const FilterOptions& options,
                   const std::vector<std::string>& warnings) {
  if (!options.Shows(kMessageError)) return;
  for (const std::string& warning : warnings)
    PrintError(program, fmt::format("warning: {}", warning));
}

int RunDmesg(std::string_view program, const FilterOptions& options) {
  Result<std::vector<std::string>> warnings = DumpKernelLog(options);
  if (!warnings) {
    PrintError(program, warnings.error().message());
    return kExitFailed;
  }
  PrintWarnings(program, options, *warnings);
  if (options.Shows(kMessageCommon) && !options.json && !options.stream_fd)
    Print(stdout, fmt::format("the kernel log is in '{}'\n", options.output));
  return warnings->empty() ? kExitComplete : kExitPartial;
}

// Of --json: on standard output, or in its file. It is no part of the dump, so a failure does not
// change the exit status.
void PrintJson(std::string_view program, const FilterOptions& options, std::string_view json) {
  if (options.json_file.empty()) return Print(stdout, json);
  Status written;
  Result<UniqueFd> fd = OpenFile(options.json_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (!fd) written = fd.error();
  if (fd) written = WriteFully(fd->get(), AsBytes(json));
  if (!written)
    PrintError(program,
               fmt::format("'{}': {}, ignoring", options.json_file, written.error().message()));
}

int RunDump(std::string_view program, const FilterOptions& options) {
  Result<DumpReport> report = CreateDump(options, stop_requested);
  if (!report) {
    PrintError(program, report.error().message());
    return kExitFailed;
  }
  PrintWarnings(program, options, report->warnings);
  bool stdout_taken = options.stream_fd || (options.json && options.json_file.empty());
  std::FILE* text_stream = stdout_taken ? stderr : stdout;
  if (options.Shows(kMessageReport)) Print(text_stream, StatisticsText(*report));
  if (report->translation) Print(text_stream, TranslationText(*report->translation));
  if (options.Shows(kMessageCommon)) Print(text_stream, ReportText(*report));
  if (options.json) PrintJson(program, options, ReportJson(*report));
  return report->completeness == Completeness::kComplete ? kExitComplete : kExitPartial;
}

// Which options were accepted and change nothing.
void PrintWithoutEffect(std::string_view program, const FilterOptions& options) {
  if (!options.Shows(kMessageDebug)) return;
  for (std::string_view option : options.without_effect)
    PrintError(program, fmt::format("{} has no effect: memory is bounded without it", option));
  if (!options.map_input) PrintError(program, "--non-mmap: the vmcore is read, not mapped");
}

int RunTranslate(std::string_view program, const FilterOptions& options) {
  Result<Translation> translation = TranslateInVmcore(options);
  if (!translation) {
    PrintError(program, translation.error().message());
    return kExitFailed;
  }
  if (options.json)
    PrintJson(program, options, TranslationJson(*translation).dump(2) + "\n");
  else
    Print(stdout, TranslationText(*translation));
  return translation->physical ? kExitComplete : kExitFailed;
}

// makedumpfile's --check-params opens no file, and kdumpctl of Fedora gives it names of none: by
// that name, what is wrong with the files is said, but does not fail the check.
int RunCheckParams(std::string_view program, bool as_makedumpfile, const FilterOptions& options) {
  CheckReport report = CheckRun(options);
  for (const std::string& refusal : report.refusals) PrintError(program, refusal);
  PrintWarnings(program, options, report.warnings);
  if (options.Shows(kMessageCommon)) Print(options.stream_fd ? stderr : stdout, CheckText(report));
  return report.refusals.empty() || as_makedumpfile ? kExitComplete : kExitFailed;
}

int RunVerify(std::string_view program, const FilterOptions& options) {
  VerifyReport report = VerifyDump(options, stop_requested);
  for (const std::string& fault : report.faults)
    PrintError(program, fmt::format("'{}': {}", report.file, fault));
  if (report.fault_count > report.faults.size())
    PrintError(program, fmt::format("'{}': and {} more", report.file,
                                    report.fault_count - report.faults.size()));
  if (options.json) PrintJson(program, options, VerifyJson(report));
  if (options.Shows(kMessageCommon) && !options.json) Print(stdout, VerifyText(report));
  if (report.soundness == Soundness::kBroken) return kExitFailed;
  return report.soundness == Soundness::kWhole ? kExitComplete : kExitPartial;
}

int RunReassemble(std::string_view program, const FilterOptions& options) {
  Result<ReassembleReport> report = Reassemble(options, stop_requested);
  if (!report) {
    PrintError(program, report.error().message());
    return kExitFailed;
  }
  PrintWarnings(program, options, report->warnings);
  if (options.json) PrintJson(program, options, ReassembleJson(*report));
  if (options.Shows(kMessageCommon) && !options.json) Print(stdout, ReassembleText(*report));
  return report->complete ? kExitComplete : kExitPartial;
}

int RunJoin(std::string_view program, const FilterOptions& options) {
  Result<JoinReport> report = JoinParts(options, stop_requested);
  if (!report) {
    PrintError(program, report.error().message());
    return kExitFailed;
  }
  PrintWarnings(program, options, report->warnings);
  if (options.json) PrintJson(program, options, JoinJson(*report));
  if (options.Shows(kMessageCommon) && !options.json) Print(stdout, JoinText(*report));
  return report->complete ? kExitComplete : kExitPartial;
}

int RunShowLayout(std::string_view program, const FilterOptions& options) {
  Result<LayoutReport> report = ShowLayout(options);
  if (!report) {
    PrintError(program, report.error().message());
    return kExitFailed;
  }
  PrintWarnings(program, options, report->warnings);
  Print(stdout, options.json ? LayoutJson(*report) : LayoutText(*report));
  return report->complete() ? kExitComplete : kExitPartial;
}

int RunInfo(std::string_view program, const FilterOptions& options) {
  Result<InfoReport> report = DescribeFile(options.vmcore);
  if (!report) {
    PrintError(program, report.error().message());
    return kExitFailed;
  }
  PrintWarnings(program, options, report->warnings);
  Print(stdout, options.json ? InfoJson(*report) : InfoText(*report));
  return report->incomplete ? kExitPartial : kExitComplete;
}

// As cmp(1): 1 says that they differ, so that no failure may have it.
int RunCompare(std::string_view program, const FilterOptions& options) {
  Result<CompareReport> report =
      CompareFiles(options.vmcore, options.other, options.threads, stop_requested);
  if (!report) {
    PrintError(program, report.error().message());
    return kExitUsage;
  }
  PrintWarnings(program, options, report->warnings);
  if (options.json) Print(stdout, CompareJson(*report));
  if (options.Shows(kMessageCommon) && !options.json) Print(stdout, CompareText(*report));
  return report->equal() ? kExitComplete : kExitFailed;
}

int RunMemUsage(std::string_view program, const FilterOptions& options) {
  Result<MemUsageReport> report = MeasureMemory(options.vmcore, options.threads, options.names);
  if (!report) {
    PrintError(program, report.error().message());
    return kExitFailed;
  }
  PrintWarnings(program, options, report->warnings);
  Print(stdout, options.json ? MemUsageJson(*report) : MemUsageText(*report));
  return report->classified ? kExitComplete : kExitPartial;
}

int RunGenerate(std::string_view program, const FilterOptions& options) {
  if (Status written = WriteVmcoreinfo(options); !written) {
    PrintError(program, written.error().message());
    return kExitFailed;
  }
  if (options.Shows(kMessageCommon))
    Print(stdout, fmt::format("VMCOREINFO is in '{}'\n", options.output));
  return kExitComplete;
}

int RunCompletion(std::string_view program, const FilterOptions& options) {
  std::optional<std::string> script = FilterCompletion(options.shell);
  if (!script) {
    PrintError(program,
               fmt::format("--completion '{}': there are bash, zsh and fish", options.shell));
    return kExitUsage;
  }
  Print(stdout, *script);
  return kExitComplete;
}

// As makedumpfile, in its form, which scripts take apart: the version whose options are known here,
// and a line a codec.
std::string VersionText(std::string_view program) {
  if (program == "makedumpfile")
    return "makedumpfile: version 1.7.9 (kdumpkit " KDUMPKIT_VERSION
           ")\nlzo\tenabled\nsnappy\tenabled\nzstd\tenabled\n\n";
  return fmt::format("{} (kdumpkit) " KDUMPKIT_VERSION "\n",
                     program == "vmcore-dmesg" ? "vmcore-dmesg" : "kdump-filter");
}

int Main(int argc, char** argv) {
  std::string_view program = argc > 0 ? basename(argv[0]) : "kdump-filter";
  std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  bool vmcore_dmesg = program == "vmcore-dmesg";
  bool as_makedumpfile = program == "makedumpfile";
  Result<FilterOptions> options = vmcore_dmesg ? ParseVmcoreDmesgOptions(arguments)
                                               : ParseFilterOptions(arguments, OnlineCpus());
  if (!options) {
    PrintError(program, options.error().message());
    // makedumpfile has 1 for every failure; its 2 says something else.
    return as_makedumpfile ? kExitFailed : kExitUsage;
  }
  CatchSignals();
  PrintWithoutEffect(program, *options);
  bool reads_files = options->mode != FilterMode::kHelp && options->mode != FilterMode::kVersion &&
                     options->mode != FilterMode::kCompletion;
  if (options->check_params && reads_files)
    return RunCheckParams(program, as_makedumpfile, *options);
  switch (options->mode) {
    case FilterMode::kHelp:
      Print(stdout, vmcore_dmesg ? VmcoreDmesgHelp(program) : FilterHelp(program));
      return 0;
    case FilterMode::kVersion:
      Print(stdout, VersionText(program));
      return 0;
    case FilterMode::kCompletion:
      return RunCompletion(program, *options);
    case FilterMode::kTranslate:
      return RunTranslate(program, *options);
    case FilterMode::kDmesg:
      return RunDmesg(program, *options);
    case FilterMode::kDump:
      return RunDump(program, *options);
    case FilterMode::kShowLayout:
      return RunShowLayout(program, *options);
    case FilterMode::kVerify:
      return RunVerify(program, *options);
    case FilterMode::kReassemble:
      return RunReassemble(program, *options);
    case FilterMode::kJoin:
      return RunJoin(program, *options);
    case FilterMode::kInfo:
      return RunInfo(program, *options);
    case FilterMode::kCompare:
      return RunCompare(program, *options);
    case FilterMode::kMemUsage:
      return RunMemUsage(program, *options);
    case FilterMode::kGenerate:
      return RunGenerate(program, *options);
  }
  return kExitFailed;
}

}  // namespace
}  // namespace kdumpkit

int main(int argc, char** argv) { return kdumpkit::Main(argc, argv); }
