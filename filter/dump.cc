// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/dump.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "base/file.h"
#include "dumpfile/flattened_stream.h"
#include "dumpfile/limited_sink.h"
#include "dumpfile/output_file.h"
#include "filter/dump_file.h"
#include "filter/erasing.h"
#include "filter/input.h"
#include "filter/split.h"
#include "kernel/given_vmlinux.h"
#include "kernel/printk.h"

namespace kdumpkit {
namespace {

constexpr size_t kLogChunk = size_t{64} << 10;
constexpr std::string_view kStandardOutput = "standard output";
// Parts of a split dump begin at multiples of so many page frames, unless --splitblock-size is
// given: whole words of the bitmaps.
constexpr uint64_t kSplitBlockPages = 64;

// Where a dump goes; nowhere in a dry run.
struct Destination {
  std::vector<OutputFile> files;  // several of a split dump
  std::optional<int> stream_fd;
  std::optional<uint64_t> limit;

  static Result<Destination> Create(const FilterOptions& options) {
    Destination destination;
    destination.limit = options.size_limit;
    if (options.dry_run) return destination;
    destination.stream_fd = options.stream_fd;
    for (const std::string& path : FilesOf(options))
      destination.files.push_back(TRY(OutputFile::Create(path, options.force)));
    return destination;
  }
  static std::vector<std::string> FilesOf(const FilterOptions& options) {
    if (options.split) return options.parts;
    if (options.stream_fd) return {};
    return {options.output};
  }
  // Of a part; null for nowhere. `measure` only counts, for a limit.
  std::unique_ptr<DumpSink> MakeSink(size_t part, bool measure) const {
    std::unique_ptr<DumpSink> sink;
    if (measure || (files.empty() && !stream_fd && limit))
      sink = std::make_unique<NullSink>(stream_fd.has_value());
    else if (stream_fd)
      sink = std::make_unique<FlattenedStream>(*stream_fd);
    else if (!files.empty())
      sink = std::make_unique<FileSink>(files[part].fd());
    if (sink && limit) sink = std::make_unique<LimitedSink>(std::move(sink), *limit);
    return sink;
  }
  int fd() const { return files.empty() ? stream_fd.value_or(-1) : files[0].fd(); }
  std::string name(size_t part = 0) const {
    return files.empty() ? std::string(kStandardOutput) : files[part].incomplete_path();
  }
};

bool IsNoRoom(const Error& error) {
  int number = error.error_number();
  return number == ENOSPC || number == EDQUOT || number == EFBIG;
}

// The rest of a stream. One that could not be written to its end has no header and is no dump.
// Only where a limit ended it, there is room left for its end.
Status FinishStream(const DumpWriter& writer, bool limited, DumpReport& report) {
  bool at_limit = limited && report.stream.failure && IsNoRoom(*report.stream.failure);
  if (report.stream.failure && !at_limit)
    return Error(*report.stream.failure).In("writing to standard output");
  report.dump = kStandardOutput;
  report.dump_bytes = writer.FileBytes(report.stream.data_bytes);
  return writer.Finish(report.has_all_pages()).In("writing to standard output");
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
  report.vmemmap_dropped = selection.vmemmap_dropped;
  if (options.translate && crash.kernel)
    report.translation = Translate(*crash.kernel, selection, *options.translate);
  report.input_incomplete = crash.input.incomplete();
  report.warnings = crash.input.warnings;
  report.warnings.insert(report.warnings.end(), crash.warnings.begin(), crash.warnings.end());
  report.warnings.insert(report.warnings.end(), selection.warnings.begin(),
                         selection.warnings.end());
  return report;
}

// A dump of one level on its way: past its pages, not finished.
struct Attempt {
  int asked = 0;  // the level that was tried; selection.level is the one that it became
  Selection selection;
  DumpReport report;
  std::vector<PfnRun> parts;  // one, of all page frames, if the dump is not split
  std::vector<std::unique_ptr<DumpWriter>> writers;  // of the parts; none in a dry run
};

Result<std::vector<PfnRun>> ChooseParts(const FilterOptions& options, const Crash& crash,
                                        const MemorySource& contents, const Selection& selection) {
  uint64_t frames = FrameCount(crash, selection);
  if (!options.split) return std::vector<PfnRun>{{0, frames}};
  uint64_t block = options.split_block.value_or(kSplitBlockPages * crash.page_size);
  if (block % crash.page_size != 0)
    return UsageError("--splitblock-size {}: not a multiple of the page size, {} bytes",
                      block >> 10, crash.page_size);
  SplitOptions split{options.parts.size(),    frames,
                     block / crash.page_size, crash.page_size,
                     options.codec,           options.compress_level.value_or(kFastestLevel)};
  return CutIntoParts(contents, selection.kept, split);
}

Status BeginParts(const FilterOptions& options, const Crash& crash, Destination& destination,
                  bool measure, Attempt& attempt) {
  for (OutputFile& file : destination.files) TRY(file.Restart());
  for (size_t i = 0; i < attempt.parts.size(); ++i) {
    std::unique_ptr<DumpSink> sink = destination.MakeSink(i, measure);
    if (sink == nullptr) return {};
    auto part = options.split ? std::optional(attempt.parts[i]) : std::nullopt;
    attempt.writers.push_back(TRY(
        BeginDump(std::move(sink), crash, attempt.selection, attempt.report.level, options, part)
            .In(fmt::format("cannot write '{}'", destination.name(i)))));
  }
  return {};
}

void AddResult(PipelineResult part, PipelineResult& sum) {
  sum.pages += part.pages;
  sum.zero_pages += part.zero_pages;
  sum.data_bytes += part.data_bytes;
  sum.unreadable_pages += part.unreadable_pages;
  for (const PhysRange& range : part.unreadable)
    if (sum.unreadable.size() < kMaxUnreadableRanges) sum.unreadable.push_back(range);
  if (sum.unreadable_reason.empty()) sum.unreadable_reason = std::move(part.unreadable_reason);
  if (!sum.failure) sum.failure = std::move(part.failure);
  sum.stopped |= part.stopped;
}

// One part after the other. When one cannot be written any more, the others are filled all the
// same: they may be on other disks, and their pages are worth having.
Status StreamParts(const MemorySource& contents, const Destination& destination, bool split,
                   PipelineOptions options, Attempt& attempt) {
  DumpReport& report = attempt.report;
  for (size_t i = 0; i < attempt.parts.size() && !report.stream.stopped; ++i) {
    const PfnRun& part = attempt.parts[i];
    options.frames = {part.first, part.end};
    options.pages_before = report.stream.pages + report.stream.unreadable_pages;
    const DumpWriter* writer = attempt.writers.empty() ? nullptr : attempt.writers[i].get();
    Result<PipelineResult> streamed =
        StreamPages(contents, attempt.selection.kept, writer, options);
    if (!streamed && !split) return std::move(streamed.error());
    PipelineResult result;
    if (streamed)
      result = std::move(*streamed);
    else
      result.failure = std::move(streamed.error());
    if (split) report.parts.push_back({"", part, result.pages, result.data_bytes, 0});
    if (split && result.failure)
      result.failure = std::move(*result.failure).In(fmt::format("'{}'", destination.name(i)));
    AddResult(std::move(result), report.stream);
  }
  return {};
}

// What of a file is there from an earlier attempt goes when the pages of this one are chosen. With
// `measure`, nothing is written. Fails when not even the headers could be written.
Result<Attempt> TryLevel(const FilterOptions& options, const DumpLevel& level, const Crash& crash,
                         const MemorySource& contents, Destination& destination, bool measure,
                         const std::atomic<bool>& stop) {
  Selection selection =
      SelectPages(crash.input.memory(), crash.kernel.get(), crash.page_shift, level,
                  {options.threads, crash.input.possible_level(), options.strict,
                   options.drop_vmemmap, crash.input.running});
  Attempt attempt{level.bits(), std::move(selection), {}, {}, {}};
  attempt.report = BeginReport(options, crash, attempt.selection);
  DumpReport& report = attempt.report;
  attempt.parts = TRY(ChooseParts(options, crash, contents, attempt.selection));
  TRY(BeginParts(options, crash, destination, measure, attempt));
  Progress progress(options.Shows(kMessageProgress) ? STDERR_FILENO : -1, report.kept_pages,
                    crash.page_size);
  PipelineOptions stream{options.codec, crash.page_size, options.threads, &progress, &stop};
  stream.compress_level = options.compress_level.value_or(kFastestLevel);
  TRY(StreamParts(contents, destination, options.split, stream, attempt));
  return attempt;
}

// Why there was no room for the dump; absent when there was, or when something else was wrong.
std::optional<Error> NoRoom(const Result<Attempt>& attempt) {
  if (!attempt) return IsNoRoom(attempt.error()) ? std::optional(attempt.error()) : std::nullopt;
  const std::optional<Error>& failure = attempt->report.stream.failure;
  return failure && IsNoRoom(*failure) ? failure : std::nullopt;
}

// The first of the levels that there is room for; the last one if there is room for none. What went
// into a stream cannot be taken back: with a limit it is measured before, without one the first
// level is the only one.
Result<Attempt> TryLevels(const FilterOptions& options, const Crash& crash,
                          const MemorySource& contents, Destination& destination,
                          const std::atomic<bool>& stop) {
  std::vector<DumpLevel> levels = options.further_levels;
  levels.insert(levels.begin(), options.level);
  bool streams = destination.stream_fd.has_value();
  if (streams && !destination.limit) levels.resize(1, options.level);
  std::vector<LevelAttempt> given_up;
  for (size_t i = 0;; ++i) {
    bool last = i + 1 == levels.size();
    Result<Attempt> attempt =
        TryLevel(options, levels[i], crash, contents, destination, streams && !last, stop);
    std::optional<Error> failure = NoRoom(attempt);
    if (failure && !last && !stop) {
      uint64_t pages = attempt ? attempt->report.kept_pages : 0;
      given_up.push_back({levels[i].bits(), pages, failure->message()});
      continue;
    }
    if (!attempt) return attempt;
    bool measured = streams && !last;
    Result<Attempt> written =
        measured ? TryLevel(options, levels[i], crash, contents, destination, false, stop)
                 : std::move(attempt);
    if (written) written->report.given_up = std::move(given_up);
    return written;
  }
}

// How large the files of a dry run would be.
void MeasureDump(const FilterOptions& options, const Crash& crash, const Selection& selection,
                 DumpReport& report) {
  if (!options.split)
    report.dump_bytes = DumpFileBytes(crash, selection, options, report.stream.data_bytes);
  for (DumpPartReport& part : report.parts) {
    part.bytes = DumpFileBytes(crash, selection, options, part.data_bytes);
    report.dump_bytes += part.bytes;
  }
}

// Finishes every file, as complete only when all are; the first failure is the one to report.
Status FinishHeaders(const Destination& destination, Attempt& attempt) {
  DumpReport& report = attempt.report;
  // Parts that an interruption left without pages are files all the same.
  if (destination.files.size() > 1)
    for (size_t i = report.parts.size(); i < attempt.parts.size(); ++i)
      report.parts.push_back({"", attempt.parts[i], 0, 0, 0});
  Status finished;
  for (size_t i = 0; i < destination.files.size(); ++i) {
    Status one = attempt.writers[i]->Finish(report.has_all_pages() && finished);
    if (!one && finished) finished = std::move(one);
    struct stat file = {};
    if (fstat(destination.files[i].fd(), &file) != 0) continue;
    report.dump_bytes += static_cast<uint64_t>(file.st_size);
    if (!report.parts.empty()) report.parts[i].bytes = static_cast<uint64_t>(file.st_size);
  }
  // Those that were marked complete before the one that failed are not.
  for (size_t i = 0; !finished && destination.files.size() > 1 && i < attempt.writers.size(); ++i)
    (void)attempt.writers[i]->Finish(false).has_value();
  return finished;
}

// Names the files that are left behind in `report`. Either all of them get their names, or none;
// they are on their disks before the first one does.
Status FinishFiles(const FilterOptions& options, Destination& destination, Attempt& attempt) {
  DumpReport& report = attempt.report;
  bool reached_end = report.stream.reached_end();
  Status finished = FinishHeaders(destination, attempt);
  bool whole = finished && reached_end;
  std::vector<std::string> names = Destination::FilesOf(options);
  for (size_t i = 0; i < names.size(); ++i) {
    if (!whole) names[i] = destination.files[i].incomplete_path();
    if (!report.parts.empty()) report.parts[i].dump = names[i];
  }
  report.dump = names[0];
  Status kept;
  for (OutputFile& file : destination.files)
    if (Status one = file.Keep(); !one && kept) kept = std::move(one);
  if (!kept) return kept;
  for (size_t i = 0; whole && i < names.size(); ++i) TRY(destination.files[i].Commit());
  if (!finished) return std::move(finished).In("finishing the header");
  return {};
}

}  // namespace

Result<DumpReport> CreateDump(const FilterOptions& options, const std::atomic<bool>& stop) {
  auto start = std::chrono::steady_clock::now();
  Crash crash = TRY(Crash::Open(options.vmcore, options.names, options.map_input));
  TRY(crash.input.CheckWhole().In(fmt::format("'{}'", options.vmcore)));
  // Nothing may be written when something cannot be erased.
  Erasing erasing = TRY(PrepareErasing(options, crash));
  const MemorySource& contents = erasing.memory ? *erasing.memory : crash.input.memory();
  Destination destination = TRY(Destination::Create(options));
  Attempt attempt = TRY(TryLevels(options, crash, contents, destination, stop));
  DumpReport& report = attempt.report;
  report.warnings.insert(report.warnings.end(), erasing.warnings.begin(), erasing.warnings.end());
  report.erased = std::move(erasing.report);
  WarnOfEarlyEnd(report);
  if (!destination.files.empty())
    TRY(FinishFiles(options, destination, attempt));
  else if (destination.stream_fd)
    TRY(FinishStream(*attempt.writers[0], destination.limit.has_value(), report));
  else
    MeasureDump(options, crash, attempt.selection, report);
  bool complete = report.has_all_pages() && !attempt.selection.fell_back &&
                  attempt.selection.level == attempt.asked;
  report.completeness = complete ? Completeness::kComplete : Completeness::kPartial;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return std::move(report);
}

Result<std::vector<std::string>> DumpKernelLog(const FilterOptions& options) {
  Input input = TRY(Input::Open(options.vmcore, options.map_input));
  std::unique_ptr<CrashedKernel> kernel = TRY(OpenKernel(input, options.names));
  Destination output = TRY(Destination::Create(options));
  std::string pending;
  uint64_t room = options.size_limit.value_or(UINT64_MAX);
  bool cut = false;
  auto flush = [&]() -> Status {
    cut = cut || pending.size() > room;
    pending.resize(std::min<uint64_t>(pending.size(), room));
    room -= pending.size();
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
  for (OutputFile& file : output.files) TRY(file.Commit());
  std::vector<std::string> warnings;
  if (!stats.problem.empty()) warnings.push_back(stats.problem);
  if (cut)
    warnings.push_back(
        fmt::format("the log was cut at the limit of {} bytes (-L)", *options.size_limit));
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
  return output.files[0].Commit();
}

}  // namespace kdumpkit
