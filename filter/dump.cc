// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/dump.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

#include "base/file.h"
#include "dumpfile/flattened_stream.h"
#include "dumpfile/output_file.h"
#include "filter/dump_file.h"
#include "filter/erasing.h"
#include "filter/input.h"
#include "kernel/given_vmlinux.h"
#include "kernel/printk.h"

namespace kdumpkit {
namespace {

constexpr size_t kLogChunk = size_t{64} << 10;
constexpr std::string_view kStandardOutput = "standard output";

// Where a dump goes; nowhere in a dry run.
struct Destination {
  std::optional<OutputFile> file;
  std::optional<int> stream_fd;

  static Result<Destination> Create(const FilterOptions& options) {
    Destination destination;
    if (options.dry_run) return destination;
    destination.stream_fd = options.stream_fd;
    if (!options.stream_fd)
      destination.file.emplace(TRY(OutputFile::Create(options.output, options.force)));
    return destination;
  }
  // Null for nowhere.
  std::unique_ptr<DumpSink> MakeSink() const {
    if (stream_fd) return std::make_unique<FlattenedStream>(*stream_fd);
    return file ? std::make_unique<FileSink>(file->fd()) : nullptr;
  }
  int fd() const { return file ? file->fd() : stream_fd.value_or(-1); }
  std::string name() const { return file ? file->incomplete_path() : std::string(kStandardOutput); }
};

// The rest of a stream. One that could not be written to its end has no header and is no dump.
Status FinishStream(const DumpWriter& writer, DumpReport& report) {
  if (report.stream.failure) return Error(*report.stream.failure).In("writing to standard output");
  report.dump = kStandardOutput;
  report.dump_bytes = writer.FileBytes(report.stream.data_bytes);
  return writer.Finish(report.has_all_pages()).In("writing to standard output");
}

// Names the file that is left behind in `report.dump`.
Status FinishFile(OutputFile& output, const DumpWriter& writer, const std::string& path,
                  DumpReport& report) {
  bool reached_end = report.stream.reached_end();
  Status finished = writer.Finish(report.has_all_pages());
  struct stat file = {};
  if (fstat(output.fd(), &file) == 0) report.dump_bytes = static_cast<uint64_t>(file.st_size);
  if (finished && reached_end) {
    report.dump = path;
    return output.Commit();
  }
  report.dump = output.incomplete_path();
  TRY(output.Keep());
  if (!finished) return std::move(finished).In("finishing the header");
  return {};
}

void WarnOfEarlyEnd(DumpReport& report) {
  const PipelineResult& stream = report.stream;
  if (stream.failure)
    report.warnings.push_back(fmt::format(
        "writing stopped after {} of {} pages: {}; free space or choose a higher level or another "
        "destination",
        stream.pages, report.kept_pages, stream.failure->message()));
  if (stream.stopped)
    report.warnings.push_back(
        fmt::format("interrupted after {} of {} pages", stream.pages, report.kept_pages));
}

DumpReport BeginReport(const FilterOptions& options, const Crash& crash,
                       const Selection& selection) {
  DumpReport report;
  report.vmcore = options.vmcore;
  report.kernel_release = crash.utsname.release();
  report.requested_level = options.level.bits();
  report.level = selection.level;
  report.codec = options.codec;
  report.threads = options.threads;
  report.page_size = crash.page_size;
  report.existing_pages = selection.existing_pages;
  report.kept_pages = selection.kept_pages;
  report.classes = selection.classes;
  report.checks = selection.checks;
  report.guard_hits = selection.guard_hits;
  report.free_found = selection.free_found;
  report.free_counted = selection.free_counted;
  report.input_incomplete = crash.input.incomplete();
  report.warnings = crash.input.warnings;
  report.warnings.insert(report.warnings.end(), crash.warnings.begin(), crash.warnings.end());
  report.warnings.insert(report.warnings.end(), selection.warnings.begin(),
                         selection.warnings.end());
  return report;
}

}  // namespace

Result<DumpReport> CreateDump(const FilterOptions& options, const std::atomic<bool>& stop) {
  auto start = std::chrono::steady_clock::now();
  Crash crash = TRY(Crash::Open(options.vmcore, options.names));
  // Nothing may be written when something cannot be erased.
  Erasing erasing = TRY(PrepareErasing(options, crash));
  Destination destination = TRY(Destination::Create(options));
  Selection selection =
      SelectPages(crash.input.memory(), crash.kernel.get(), crash.page_shift, options.level,
                  options.threads, crash.input.possible_level(), options.strict);
  DumpReport report = BeginReport(options, crash, selection);
  report.warnings.insert(report.warnings.end(), erasing.warnings.begin(), erasing.warnings.end());
  report.erased = std::move(erasing.report);
  const MemorySource& contents = erasing.memory ? *erasing.memory : crash.input.memory();
  std::unique_ptr<DumpWriter> writer;
  if (std::unique_ptr<DumpSink> sink = destination.MakeSink())
    writer = TRY(BeginDump(std::move(sink), crash, selection, report.level, options)
                     .In(fmt::format("cannot write '{}'", destination.name())));
  Progress progress(options.Shows(kMessageProgress) ? STDERR_FILENO : -1, selection.kept_pages,
                    crash.page_size);
  PipelineOptions stream{options.codec,   crash.page_size,
                         options.threads, &progress,
                         &stop,           options.compress_level.value_or(kFastestLevel)};
  report.stream = TRY(StreamPages(contents, selection.kept, writer.get(), stream));
  WarnOfEarlyEnd(report);
  if (destination.file) {
    TRY(FinishFile(*destination.file, *writer, options.output, report));
  } else if (destination.stream_fd) {
    TRY(FinishStream(*writer, report));
  } else {
    report.dump_bytes = DumpFileBytes(crash, selection, options, report.stream.data_bytes);
  }
  bool complete =
      report.has_all_pages() && !selection.fell_back && selection.level == options.level.bits();
  report.completeness = complete ? Completeness::kComplete : Completeness::kPartial;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

Result<std::vector<std::string>> DumpKernelLog(const FilterOptions& options) {
  Input input = TRY(Input::Open(options.vmcore));
  std::unique_ptr<CrashedKernel> kernel = TRY(OpenKernel(input, options.names));
  Destination output = TRY(Destination::Create(options));
  std::string pending;
  auto flush = [&]() -> Status {
    TRY(WriteFully(output.fd(), AsBytes(pending))
            .In(fmt::format("cannot write '{}'", output.name())));
    pending.clear();
    return {};
  };
  LogOptions log{options.partial_dmesg};
  LogStats stats = TRY(ReadKernelLog(*kernel, log, [&](const LogRecord& record) -> Status {
    if (!HasLogLevel(record, options.dmesg_levels)) return {};
    pending += options.dmesg_json ? LogRecordJson(record) : FormatLogRecord(record);
    if (pending.size() < kLogChunk) return {};
    return flush();
  }));
  TRY(flush());
  if (output.file) TRY(output.file->Commit());
  std::vector<std::string> warnings;
  if (!stats.problem.empty()) warnings.push_back(stats.problem);
  return warnings;
}

Status WriteVmcoreinfo(const FilterOptions& options) {
  std::unique_ptr<GivenVmlinux> vmlinux = TRY(GivenVmlinux::Open(options.names.vmlinux));
  if (vmlinux->types() == nullptr) return Unsupported("{}", vmlinux->without_types());
  if (vmlinux->file().Release().empty())
    return Unsupported("'{}' has no linux_banner, so its release is not known",
                       options.names.vmlinux);
  Destination output = TRY(Destination::Create(options));
  TRY(WriteFully(output.fd(), AsBytes(vmlinux->VmcoreinfoText()))
          .In(fmt::format("cannot write '{}'", output.name())));
  return output.file->Commit();
}

}  // namespace kdumpkit
