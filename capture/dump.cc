// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dump.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>

#include "base/file.h"

namespace kdumpkit {
namespace {

// 1 progress, 2 what is done, 4 errors, 16 the pages kept and left out.
constexpr const char* kMessageLevel = "23";
// With less room than this a second attempt would end where the first one did.
constexpr uint64_t kFullBelow = uint64_t{1} << 20;

const char* CompressionOption(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "";
    case Compression::kZlib:
      return "-c";
    case Compression::kLzo:
      return "-l";
    case Compression::kSnappy:
      return "-p";
    case Compression::kZstd:
      return "-z";
  }
  CHECK(false);
}

std::optional<uint64_t> FileSize(const std::string& path) {
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0) return std::nullopt;
  return static_cast<uint64_t>(file.st_size);
}

Status SyncFile(const std::string& path) {
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY));
  if (fsync(fd.get()) != 0) return SystemError(errno, fmt::format("cannot sync '{}'", path));
  return SyncDirectory(path.substr(0, path.rfind('/')));
}

// The larger file of the two names under which there may be one.
void LocateFile(const std::string& folder, DumpResult& result) {
  for (std::string_view name : {kVmcoreName, kIncompleteName}) {
    std::optional<uint64_t> size = FileSize(fmt::format("{}/{}", folder, name));
    if (!size || *size == 0) continue;
    result.file = name;
    result.size = *size;
    return;
  }
}

// A filter that writes under the final name must not leave half a dump under it.
void MarkIncomplete(const std::string& folder) {
  std::string whole = fmt::format("{}/{}", folder, kVmcoreName);
  (void)rename(whole.c_str(), fmt::format("{}/{}", folder, kIncompleteName).c_str());
}

}  // namespace

Result<uint64_t> Dumper::SaveDmesg(const std::string& path) {
  FilterEnd end = TRY(
      RunFilter({filter_, "--dump-dmesg", vmcore_, path}, path, config_.stall, log_, watchdog_));
  // A partial log is what could be read of a damaged one.
  if (!end.complete() && !end.partial())
    return Error(ErrorKind::kSystem, fmt::format("'{}' {}", filter_, end.ToString()));
  TRY(SyncFile(path));
  return FileSize(path).value_or(0);
}

std::vector<std::string> Dumper::Arguments(const std::string& folder, Attempt attempt) const {
  std::vector<std::string> argv = {filter_};
  Compression compression = options_refused_ ? CaptureConfig().compression : config_.compression;
  if (const char* option = CompressionOption(compression); *option != '\0') argv.push_back(option);
  argv.insert(argv.end(), {"-d", fmt::format("{}", config_.level)});
  argv.insert(argv.end(), {"--message-level", kMessageLevel});
  unsigned threads = attempt == Attempt::kSecond ? 1 : config_.threads;
  if (threads != 0) argv.insert(argv.end(), {"--num-threads", fmt::format("{}", threads)});
  // The folder is this dump's own: what may be replaced is what the first attempt left.
  if (FileSize(fmt::format("{}/{}", folder, kIncompleteName))) argv.push_back("-f");
  argv.insert(argv.end(), {vmcore_, fmt::format("{}/{}", folder, kVmcoreName)});
  return argv;
}

DumpResult Dumper::TryOnce(const std::string& folder, Attempt attempt) {
  DumpResult result;
  Result<FilterEnd> end =
      RunFilter(Arguments(folder, attempt), fmt::format("{}/{}", folder, kVmcoreName),
                config_.stall, log_, watchdog_);
  if (!end) {
    result.reason = end.error().message();
    return result;
  }
  bool written = end->complete() || end->partial();
  if (!written) MarkIncomplete(folder);
  LocateFile(folder, result);
  options_refused_ = end->state.signal == 0 && end->state.status == kFilterUsage;
  if (end->complete() && result.file == kVmcoreName) {
    result.state = DumpState::kComplete;
  } else if (written && !result.file.empty()) {
    result.state = DumpState::kPartial;
    result.reason = result.file == kVmcoreName ? "not all as asked for" : "it ends early";
    if (!HasRoom(folder)) result.reason += "; the destination is full";
  } else {
    result.reason = written ? fmt::format("'{}' wrote no dump", filter_)
                            : fmt::format("'{}' {}", filter_, end->ToString());
  }
  return result;
}

bool Dumper::HasRoom(const std::string& folder) {
  Result<uint64_t> free = system_.FreeBytes(folder);
  return !free || *free >= kFullBelow;
}

DumpResult Dumper::SaveVmcore(const std::string& folder) {
  DumpResult first = TryOnce(folder, Attempt::kFirst);
  if (first.state != DumpState::kFailed) return first;
  if (!HasRoom(folder)) {
    first.reason += "; the destination is full";
    return first;
  }
  log_.Say("{}; trying once more with one thread", first.reason);
  return TryOnce(folder, Attempt::kSecond);
}

}  // namespace kdumpkit
