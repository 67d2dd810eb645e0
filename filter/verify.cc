// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/verify.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "dumpfile/dump_check.h"
#include "dumpfile/output_file.h"
#include "dumpfile/unflatten.h"

namespace kdumpkit {
namespace {

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

double MiB(uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

std::string_view SoundnessName(Soundness soundness) {
  if (soundness == Soundness::kWhole) return "whole";
  return soundness == Soundness::kIncomplete ? "incomplete" : "broken";
}

// Paths may hold any bytes; what is not UTF-8 is shown as the replacement character.
std::string JsonText(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Status Verify(const FilterOptions& options, const std::atomic<bool>& stop, VerifyReport& report) {
  std::unique_ptr<DumpSource> source = TRY(OpenDumpSource(options.vmcore));
  report.bytes = source->size();
  std::unique_ptr<KdumpReader> dump = TRY(KdumpReader::Open(std::move(source)));
  report.kernel_release = dump->info().header.utsname[2];
  DumpCheck check = CheckDump(*dump, options.sample, stop);
  report.pages = check.pages;
  report.decompressed_pages = check.decompressed_pages;
  report.lost_pages = check.lost_pages;
  report.fault_count = check.fault_count;
  report.faults = std::move(check.faults);
  if (check.stopped) return Truncated("interrupted");
  if (check.sound())
    report.soundness = check.incomplete ? Soundness::kIncomplete : Soundness::kWhole;
  return {};
}

Result<UniqueFd> OpenStream(const std::string& path) {
  if (!path.empty()) return OpenFile(path, O_RDONLY);
  UniqueFd fd(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
  if (!fd.valid()) return SystemError(errno, "standard input");
  return fd;
}

}  // namespace

VerifyReport VerifyDump(const FilterOptions& options, const std::atomic<bool>& stop) {
  Stopwatch watch;
  VerifyReport report;
  report.file = options.vmcore;
  if (Status verified = Verify(options, stop, report); !verified) {
    report.soundness = Soundness::kBroken;
    ++report.fault_count;
    report.faults.push_back(verified.error().message());
  }
  report.seconds = watch.seconds();
  return report;
}

std::string VerifyText(const VerifyReport& report) {
  if (report.soundness == Soundness::kBroken)
    return fmt::format("'{}' is broken: {} fault{}\n", report.file, report.fault_count,
                       report.fault_count == 1 ? "" : "s");
  std::string text = report.soundness == Soundness::kWhole
                         ? fmt::format("'{}' is whole", report.file)
                         : fmt::format("'{}' is marked incomplete, and sound so far: {} pages lost",
                                       report.file, report.lost_pages);
  return text + fmt::format(": {} of {} pages decompressed, {:.1f} MiB, in {:.2f} s\n",
                            report.decompressed_pages, report.pages, MiB(report.bytes),
                            report.seconds);
}

std::string VerifyJson(const VerifyReport& report) {
  return JsonText({{"result", SoundnessName(report.soundness)},
                   {"dump", report.file},
                   {"kernel", report.kernel_release},
                   {"bytes", report.bytes},
                   {"pages", report.pages},
                   {"decompressed_pages", report.decompressed_pages},
                   {"lost_pages", report.lost_pages},
                   {"fault_count", report.fault_count},
                   {"faults", report.faults},
                   {"seconds", report.seconds}});
}

Result<ReassembleReport> Reassemble(const FilterOptions& options, const std::atomic<bool>& stop) {
  Stopwatch watch;
  std::string name = options.vmcore.empty() ? "standard input" : options.vmcore;
  UniqueFd stream = TRY(OpenStream(options.vmcore));
  OutputFile output = TRY(OutputFile::Create(options.output, options.force));
  Unflattened done = TRY(Unflatten(stream.get(), output.fd(), stop).In(fmt::format("'{}'", name)));
  ReassembleReport report;
  report.records = done.records;
  struct stat file = {};
  if (fstat(output.fd(), &file) == 0) report.bytes = static_cast<uint64_t>(file.st_size);
  report.complete = !done.failure;
  report.dump = report.complete ? options.output : output.incomplete_path();
  TRY(report.complete ? output.Commit() : output.Keep());
  if (done.failure) report.warnings.push_back(done.failure->message());
  report.seconds = watch.seconds();
  return report;
}

std::string ReassembleText(const ReassembleReport& report) {
  return fmt::format("{} '{}': {:.1f} MiB of {} records in {:.2f} s\n",
                     report.complete ? "complete file" : "the beginning is in", report.dump,
                     MiB(report.bytes), report.records, report.seconds);
}

std::string ReassembleJson(const ReassembleReport& report) {
  return JsonText({{"result", report.complete ? "complete" : "partial"},
                   {"dump", report.dump},
                   {"records", report.records},
                   {"bytes", report.bytes},
                   {"seconds", report.seconds},
                   {"warnings", report.warnings}});
}

}  // namespace kdumpkit
