// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dump.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/file.h"
#include "capture/json.h"
#include "capture/mounted_target.h"
#include "capture/step_progress.h"
#include "capture/stream_check.h"

namespace kdumpkit {
namespace {

// With less room than this a second attempt would end where the first one did.
constexpr uint64_t kFullBelow = uint64_t{1} << 20;
// Exit statuses of kdump-filter --verify, beside 0.
constexpr int kVerifyBroken = 1;
constexpr const char* kSampledPages = "64";
// Says what it does, so that it does not pass for one that hangs.
constexpr const char* kProgressOnly = "1";

const char* CompressionOption(DumpCompression compression) {
  switch (compression) {
    case DumpCompression::kNone:
      return "";
    case DumpCompression::kZlib:
      return "-c";
    case DumpCompression::kLzo:
      return "-l";
    case DumpCompression::kSnappy:
      return "-p";
    case DumpCompression::kZstd:
      return "-z";
  }
  CHECK(false);
}

uint64_t FileSize(const std::string& path) {
  struct stat file = {};
  return stat(path.c_str(), &file) == 0 ? static_cast<uint64_t>(file.st_size) : 0;
}

// Whether the filter came to the end of what it had to write; absent when it does not say.
std::optional<bool> ReachedEnd(std::string_view json) {
  std::optional<uint64_t> kept = JsonNumber(json, "kept_pages");
  std::optional<uint64_t> written = JsonNumber(json, "written_pages");
  if (!kept || !written) return std::nullopt;
  return *written + JsonNumber(json, "unreadable_pages").value_or(0) >= *kept;
}

bool IsScp(const Config& config) {
  return !config.collector.empty() && config.collector[0] == "scp";
}

}  // namespace

Dumper::Dumper(const CaptureContext& context)
    : context_(context),
      vmcore_(context.root.HostPath("/proc/vmcore")),
      report_(context.root.HostPath("/run/kdump-filter.json")) {}

Status Dumper::ReadDmesg(DmesgReader& reader) {
  auto sink = [&reader](ByteView bytes) -> Status {
    reader.Feed(bytes);
    return {};
  };
  FilterEnd end =
      TRY(RunFilter({{context_.filter, "--dump-dmesg", "-F", vmcore_}, "", sink}, context_));
  reader.End();
  // A partial log is what could be read of a damaged one.
  if (end.complete() || end.partial()) return {};
  return Error(ErrorKind::kSystem, fmt::format("'{}' {}", context_.filter, end.ToString()));
}

Result<StoredFile> Dumper::SaveDmesg(Target& target, DmesgReader& reader) {
  PartWriter part = TRY(PartWriter::Begin(target, std::string(kDmesgName)));
  auto sink = [&](ByteView bytes) {
    reader.Feed(bytes);
    return part.Write(bytes);
  };
  Result<FilterEnd> end =
      RunFilter({{context_.filter, "--dump-dmesg", "-F", vmcore_}, "", sink}, context_);
  reader.End();
  bool written = end && (end->complete() || end->partial()) && part.size() > 0;
  if (written) return part.End();
  part.Abandon();
  if (!end) return end.error();
  bool ended = end->complete() || end->partial();
  return Error(ErrorKind::kSystem,
               fmt::format("'{}' {}", context_.filter, ended ? "wrote no log" : end->ToString()));
}

void Dumper::ForgetReport() const {
  std::error_code ignored;
  std::filesystem::create_directories(context_.root.HostPath("/run"), ignored);
  std::filesystem::remove(report_, ignored);
}

std::string Dumper::ReadReport() const {
  return context_.root.ReadText("/run/kdump-filter.json").value_or("");
}

std::vector<std::string> Dumper::FilterWords(const DumpChoice& choice, Attempt attempt) const {
  std::vector<std::string> argv = {context_.filter};
  DumpCompression compression = options_refused_ ? Config().compression : choice.compression;
  if (const char* option = CompressionOption(compression); *option != '\0') argv.push_back(option);
  argv.insert(argv.end(), {"-d", fmt::format("{}", choice.level)});
  unsigned threads = attempt == Attempt::kSecond ? 1 : context_.config.threads;
  if (threads != 0) argv.insert(argv.end(), {"--num-threads", fmt::format("{}", threads)});
  if (!options_refused_) argv.push_back("--json=" + report_);
  return argv;
}

std::optional<uint64_t> Dumper::Measure(const DumpChoice& choice) {
  if (!context_.config.collector.empty()) return std::nullopt;
  std::vector<std::string> argv = FilterWords(choice, Attempt::kFirst);
  argv.insert(argv.end(), {"--dry-run", "--message-level", kProgressOnly, vmcore_});
  ForgetReport();
  Result<FilterEnd> end = RunFilter({std::move(argv), "", nullptr}, context_);
  if (!end || !(end->complete() || end->partial())) return std::nullopt;
  return JsonNumber(ReadReport(), "bytes");
}

bool Dumper::Streams(const Target& target) const {
  return target.folder().empty() || context_.config.flattened;
}

std::string Dumper::NameFor(const Target& target) const {
  const std::vector<std::string>& collector = context_.config.collector;
  // Of another program only -F tells what it writes.
  bool flat = Streams(target) && (collector.empty() || std::find(collector.begin(), collector.end(),
                                                                 "-F") != collector.end());
  return std::string(flat ? kFlatName : kVmcoreName);
}

std::vector<std::string> Dumper::Arguments(const Target& target, const DumpChoice& choice,
                                           Attempt attempt) const {
  bool streams = Streams(target);
  std::vector<std::string> argv = context_.config.collector;
  if (argv.empty()) {
    argv = FilterWords(choice, attempt);
    argv.insert(argv.end(), {"--message-level", fmt::format("{}", context_.config.message_level)});
    if (streams) argv.push_back("-F");
  }
  argv.push_back(vmcore_);
  if (!streams) argv.push_back(fmt::format("{}/{}{}", target.folder(), kVmcoreName, kIncomplete));
  return argv;
}

// The file system says so, or the server that what was sent did not fit.
bool Dumper::IsFull(Target& target, const Result<FilterEnd>& end) const {
  int error = end && end->sink_failed ? end->sink_failed->error_number() : 0;
  if (error == ENOSPC || error == EDQUOT) return true;
  Result<std::optional<uint64_t>> room = target.Room();
  return room && *room && **room < kFullBelow;
}

// What the end of the child means, whatever there is to find.
void Dumper::TakeEnd(const Result<FilterEnd>& end, Target& target, DumpResult& result) {
  result.filter_json = ReadReport();
  options_refused_ = end && !end->stalled && end->state.signal == 0 &&
                     end->state.status == kFilterUsage && context_.config.collector.empty();
  std::string program =
      context_.config.collector.empty() ? context_.filter : context_.config.collector[0];
  if (!end) {
    result.reason = end.error().message();
  } else if (end->complete()) {
    result.state = DumpState::kComplete;
  } else if (end->partial() && context_.config.collector.empty()) {
    result.state = DumpState::kPartial;
    bool whole = ReachedEnd(result.filter_json).value_or(!IsFull(target, end));
    result.reason = whole ? "not all as asked for" : "it ends early";
    result.blames_destination = !whole;
  } else {
    result.reason = fmt::format("'{}' {}", program, end->ToString());
    result.blames_destination = end->sink_failed.has_value();
  }
  if (result.state != DumpState::kComplete && IsFull(target, end)) {
    result.full = true;
    result.reason += "; the destination is full";
    result.blames_destination = true;
  }
}

bool Dumper::VerifyFile(const std::string& path, DumpResult& result) {
  if (!context_.config.collector.empty()) return true;
  Result<FilterEnd> end = RunFilter(
      {{context_.filter, "--verify", "--sample", kSampledPages, path}, "", nullptr}, context_);
  if (end && end->state.signal == 0 && !end->stalled && end->state.status == kVerifyBroken)
    return false;
  bool verified = end && (end->complete() || end->partial());
  if (verified) result.file.verified = Verified::kSample;
  if (!verified)
    result.warnings.push_back(fmt::format("the dump was not verified: {}",
                                          end ? end->ToString() : end.error().message()));
  return true;
}

// The file is FOLDER/vmcore-incomplete; it gets its name when it is what it should be.
void Dumper::FinishFileDump(Target& target, DumpResult& result) {
  std::string path = fmt::format("{}/{}", target.folder(), result.file.name);
  auto fail = [&result](std::string reason) {
    result.state = DumpState::kFailed;
    result.reason = std::move(reason);
    result.blames_destination = true;
  };
  if (!VerifyFile(path, result))
    return fail(fmt::format("'{}' is damaged although it was written", result.file.name));
  Result<Digest> digest = DigestOfFile(path, context_);
  if (!digest) return fail(digest.error().message());
  result.file.digest = *digest;
  if (result.state == DumpState::kPartial && result.blames_destination) return;
  Status named = FinishFile(target.folder(), kVmcoreName);
  if (!named) return fail(named.error().message());
  result.file.name = kVmcoreName;
}

DumpResult Dumper::TryFile(Target& target, std::vector<std::string> argv) {
  std::string path = argv.back();
  DumpResult result;
  Result<FilterEnd> end = RunFilter({std::move(argv), path, nullptr}, context_);
  TakeEnd(end, target, result);
  result.file.digest.size = FileSize(path);
  if (result.file.digest.size > 0) result.file.name = fmt::format("{}{}", kVmcoreName, kIncomplete);
  if (result.state == DumpState::kFailed) return result;
  if (result.file.name.empty()) {
    result.state = DumpState::kFailed;
    result.reason = fmt::format("'{}' wrote no dump", context_.filter);
    return result;
  }
  FinishFileDump(target, result);
  return result;
}

// What "core_collector scp" means: all of the memory as it is.
Result<FilterEnd> Dumper::CopyVmcore(const std::function<Status(ByteView)>& sink) {
  UniqueFd fd = TRY(OpenFile(vmcore_, O_RDONLY));
  ByteBuffer piece(size_t{1} << 20);
  StepProgress progress("copying the memory", FileSize(vmcore_), context_.log);
  FilterEnd end;
  for (uint64_t at = 0; !end.sink_failed;) {
    context_.memory.Sample();
    size_t size = TRY(ReadAt(fd.get(), FileOffset(at), piece).In(vmcore_));
    if (size == 0) break;
    Status written = sink(ByteView(piece).first(size));
    if (!written) end.sink_failed = written.error();
    at += size;
    progress.Update(at);
  }
  return end;
}

void Dumper::FinishStreamDump(PartWriter& part, Status whole, DumpResult& result) {
  auto fail = [&result](std::string reason) {
    result.state = DumpState::kFailed;
    result.reason = std::move(reason);
  };
  if (!whole || part.size() == 0) {
    part.Abandon();
    return fail(whole ? fmt::format("'{}' wrote no dump", context_.filter)
                      : whole.error().message());
  }
  std::string name = result.file.name;
  Result<StoredFile> stored = part.End();
  if (stored) {
    result.file = std::move(*stored);
    return;
  }
  result.blames_destination = true;
  fail(stored.error().message());
}

DumpResult Dumper::TryStream(Target& target, std::vector<std::string> argv) {
  DumpResult result;
  std::string name = NameFor(target);
  Result<PartWriter> part = PartWriter::Begin(target, name);
  if (!part) {
    result.reason = part.error().message();
    result.blames_destination = true;
    return result;
  }
  StreamCheck check;
  auto sink = [&](ByteView bytes) {
    check.Feed(bytes);
    return part->Write(bytes);
  };
  Result<FilterEnd> end =
      IsScp(context_.config) ? CopyVmcore(sink) : RunFilter({std::move(argv), "", sink}, context_);
  TakeEnd(end, target, result);
  result.file.name = fmt::format("{}{}", name, kIncomplete);
  result.file.digest.size = part->size();
  if (result.state == DumpState::kFailed) {
    part->Abandon();
  } else {
    FinishStreamDump(*part, name == kFlatName ? check.Check() : Status(), result);
  }
  if (part->size() == 0) result.file = StoredFile();
  return result;
}

DumpResult Dumper::TryOnce(Target& target, const DumpChoice& choice, Attempt attempt) {
  ForgetReport();
  std::vector<std::string> argv = Arguments(target, choice, attempt);
  return Streams(target) ? TryStream(target, std::move(argv)) : TryFile(target, std::move(argv));
}

void Dumper::Discard(Target& target) const {
  std::string name = NameFor(target);
  target.SetAside(name);
  target.DropAside(name);
}

DumpResult Dumper::SaveVmcore(Target& target, const DumpChoice& choice) {
  options_refused_ = false;
  DumpResult first = TryOnce(target, choice, Attempt::kFirst);
  if (first.state != DumpState::kFailed || first.full) return first;
  context_.log.Say("{}; trying once more with one thread", first.reason);
  std::string name = NameFor(target);
  target.SetAside(name);
  DumpResult second = TryOnce(target, choice, Attempt::kSecond);
  if (second.state == DumpState::kComplete) target.DropAside(name);
  second.warnings.push_back(fmt::format("the first attempt failed: {}", first.reason));
  return second;
}

}  // namespace kdumpkit
