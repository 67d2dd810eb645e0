// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/dump.h"

#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <chrono>

#include "base/file.h"
#include "dumpfile/flattened_stream.h"
#include "dumpfile/output_file.h"
#include "elf/vmcore.h"
#include "kernel/printk.h"

namespace kdumpkit {
namespace {

// Page size when not even VMCOREINFO can be read: the smallest of every supported machine.
constexpr uint64_t kFallbackPageSize = 4096;
constexpr size_t kBitmapChunk = size_t{64} << 10;
constexpr std::string_view kStandardOutput = "standard output";

Result<std::unique_ptr<CrashedKernel>> OpenKernel(const Vmcore& vmcore) {
  const Note* note = vmcore.vmcoreinfo();
  if (note == nullptr)
    return Unsupported(
        "the vmcore has no VMCOREINFO note (was the crash kernel loaded without it?)");
  MachineId machine{vmcore.machine(), vmcore.order(), vmcore.word_size()};
  return CrashedKernel::Open(vmcore, machine, AsText(note->desc));
}

// Everything that is known before the first page is written.
struct Source {
  std::unique_ptr<Vmcore> vmcore;
  std::unique_ptr<CrashedKernel> kernel;  // null when it cannot be understood
  uint64_t page_size = kFallbackPageSize;
  int page_shift = 12;
  Utsname utsname;
  std::vector<std::string> warnings;
};

Result<Source> OpenSource(const std::string& path) {
  Source source;
  source.vmcore = TRY(Vmcore::Open(path));
  Result<std::unique_ptr<CrashedKernel>> kernel = OpenKernel(*source.vmcore);
  if (!kernel) {
    source.warnings.push_back(kernel.error().message());
    return source;
  }
  source.kernel = std::move(*kernel);
  source.page_size = source.kernel->page_size();
  source.page_shift = source.kernel->page_shift();
  Result<Utsname> utsname = ReadUtsname(*source.kernel);
  if (utsname) {
    source.utsname = *utsname;
  } else {
    // The release at least stands in VMCOREINFO; readers want it.
    source.utsname.fields[2] = source.kernel->info().Text("OSRELEASE").value_or("");
    source.warnings.push_back(std::move(utsname.error()).In("reading utsname").message());
  }
  return source;
}

uint64_t CrashTime(const CrashedKernel* kernel) {
  if (kernel == nullptr) return 0;
  std::string text = kernel->info().Text("CRASHTIME").value_or("");
  uint64_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return seconds;
}

KdumpParameters MakeParameters(const Source& source, const Selection& selection, int level,
                               Codec codec) {
  KdumpParameters parameters;
  const Vmcore& vmcore = *source.vmcore;
  parameters.abi = {vmcore.order(), vmcore.word_size(), vmcore.word_size()};
  parameters.block_size = static_cast<uint32_t>(source.page_size);
  parameters.max_mapnr = selection.kept.pages();
  parameters.utsname = source.utsname.fields;
  parameters.crash_time = CrashTime(source.kernel.get());
  parameters.cpu_count = vmcore.cpu_count();
  parameters.phys_base = source.kernel != nullptr ? source.kernel->phys_base() : 0;
  parameters.dump_level = level;
  parameters.codec = codec;
  parameters.notes = vmcore.raw_notes();
  if (const Note* note = vmcore.vmcoreinfo(); note != nullptr) {
    parameters.vmcoreinfo_offset = note->raw_offset;
    parameters.vmcoreinfo_size = note->desc.size();
  }
  return parameters;
}

Status WriteBitmap(KdumpWriter& writer, KdumpWriter::Bitmap which, const PageBitmap& bitmap) {
  uint64_t total = writer.bitmap_bytes();
  for (uint64_t at = 0; at < total; at += kBitmapChunk) {
    size_t size = static_cast<size_t>(std::min<uint64_t>(kBitmapChunk, total - at));
    TRY(writer.WriteBitmap(which, at, bitmap.Bytes(at, size)));
  }
  return {};
}

Result<KdumpWriter> BeginDump(std::unique_ptr<DumpSink> sink, const Source& source,
                              const Selection& selection, int level, Codec codec) {
  KdumpParameters parameters = MakeParameters(source, selection, level, codec);
  KdumpWriter writer = TRY(KdumpWriter::Create(std::move(sink), parameters, selection.kept_pages));
  PageBitmap existing(selection.kept.pages(), selection.existing);
  TRY(WriteBitmap(writer, KdumpWriter::Bitmap::kExisting, existing));
  TRY(WriteBitmap(writer, KdumpWriter::Bitmap::kDumped, selection.kept));
  TRY(writer.BeginData());
  return writer;
}

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
Status FinishStream(const KdumpWriter& writer, DumpReport& report) {
  if (report.stream.failure) return Error(*report.stream.failure).In("writing to standard output");
  report.dump = kStandardOutput;
  report.dump_bytes = writer.data_start().value + report.stream.data_bytes;
  bool complete = report.stream.reached_end() && report.stream.unreadable_pages == 0;
  return writer.Finish(complete).In("writing to standard output");
}

// Names the file that is left behind in `report.dump`.
Status FinishFile(OutputFile& output, const KdumpWriter& writer, const std::string& path,
                  DumpReport& report) {
  bool reached_end = report.stream.reached_end();
  bool complete = reached_end && report.stream.unreadable_pages == 0;
  Status finished = writer.Finish(complete);
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

DumpReport BeginReport(const FilterOptions& options, const Source& source,
                       const Selection& selection) {
  DumpReport report;
  report.vmcore = options.vmcore;
  report.kernel_release = source.utsname.release();
  report.requested_level = options.level.bits();
  report.level = selection.fell_back ? options.level.bits() & kLevelZero : options.level.bits();
  report.codec = options.codec;
  report.threads = options.threads;
  report.page_size = source.page_size;
  report.existing_pages = selection.existing_pages;
  report.kept_pages = selection.kept_pages;
  report.classes = selection.classes;
  report.free_found = selection.free_found;
  report.free_counted = selection.free_counted;
  report.warnings = source.warnings;
  report.warnings.insert(report.warnings.end(), selection.warnings.begin(),
                         selection.warnings.end());
  return report;
}

// Headers, bitmaps and descriptors of a dump of this selection, in bytes; page data not counted.
uint64_t MetadataBytes(const Source& source, const Selection& selection) {
  Result<KdumpWriter> writer = KdumpWriter::Create(
      -1, MakeParameters(source, selection, 0, Codec::kNone), selection.kept_pages);
  return writer ? writer->data_start().value : 0;
}

}  // namespace

Result<DumpReport> CreateDump(const FilterOptions& options, const std::atomic<bool>& stop) {
  auto start = std::chrono::steady_clock::now();
  Source source = TRY(OpenSource(options.vmcore));
  Destination destination = TRY(Destination::Create(options));
  Selection selection = SelectPages(*source.vmcore, source.kernel.get(), source.page_shift,
                                    options.level, options.threads);
  DumpReport report = BeginReport(options, source, selection);
  std::optional<KdumpWriter> writer;
  if (std::unique_ptr<DumpSink> sink = destination.MakeSink())
    writer.emplace(TRY(BeginDump(std::move(sink), source, selection, report.level, options.codec)
                           .In(fmt::format("cannot write '{}'", destination.name()))));
  Progress progress(options.Shows(kMessageProgress) ? STDERR_FILENO : -1, selection.kept_pages,
                    source.page_size);
  PipelineOptions stream{options.codec, source.page_size, options.threads, &progress, &stop};
  report.stream =
      TRY(StreamPages(*source.vmcore, selection.kept, writer ? &*writer : nullptr, stream));
  WarnOfEarlyEnd(report);
  if (destination.file) {
    TRY(FinishFile(*destination.file, *writer, options.output, report));
  } else if (destination.stream_fd) {
    TRY(FinishStream(*writer, report));
  } else {
    report.dump_bytes = MetadataBytes(source, selection) + report.stream.data_bytes;
  }
  bool complete =
      report.stream.reached_end() && report.stream.unreadable_pages == 0 && !selection.fell_back;
  report.completeness = complete ? Completeness::kComplete : Completeness::kPartial;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

Result<std::vector<std::string>> DumpKernelLog(const FilterOptions& options) {
  std::unique_ptr<Vmcore> vmcore = TRY(Vmcore::Open(options.vmcore));
  std::unique_ptr<CrashedKernel> kernel = TRY(OpenKernel(*vmcore));
  Destination output = TRY(Destination::Create(options));
  std::string pending;
  auto flush = [&]() -> Status {
    TRY(WriteFully(output.fd(), AsBytes(pending))
            .In(fmt::format("cannot write '{}'", output.name())));
    pending.clear();
    return {};
  };
  LogStats stats = TRY(ReadKernelLog(*kernel, [&](std::string_view record) -> Status {
    pending += record;
    if (pending.size() < kBitmapChunk) return {};
    return flush();
  }));
  TRY(flush());
  if (output.file) TRY(output.file->Commit());
  std::vector<std::string> warnings;
  if (!stats.problem.empty()) warnings.push_back(stats.problem);
  return warnings;
}

}  // namespace kdumpkit
