// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/recover.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <functional>

#include "base/process.h"
#include "base/sha256.h"
#include "capture/command.h"
#include "capture/device.h"
#include "capture/dump.h"
#include "capture/raw_area.h"

namespace kdumpkit {
namespace {

constexpr size_t kPiece = size_t{1} << 20;
constexpr int kMaxSameName = 100;

using Sink = std::function<Status(ByteView)>;

// A folder of our own, removed again unless it is kept.
class NewFolder {
 public:
  static Result<NewFolder> Make(const std::string& parent, const std::string& name) {
    std::error_code error;
    std::filesystem::create_directories(parent, error);
    if (error) return SystemError(error.value(), fmt::format("cannot create folder '{}'", parent));
    for (int number = 1; number < kMaxSameName; ++number) {
      std::string path = number == 1 ? fmt::format("{}/{}", parent, name)
                                     : fmt::format("{}/{}-{}", parent, name, number);
      if (mkdir(path.c_str(), 0700) == 0) return NewFolder(std::move(path));
      if (errno != EEXIST) break;
    }
    return SystemError(errno, fmt::format("cannot create folder '{}/{}'", parent, name));
  }
  NewFolder(NewFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  NewFolder& operator=(NewFolder&&) = delete;
  ~NewFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string Keep() { return std::exchange(path_, {}); }

 private:
  explicit NewFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

class Recoverer {
 public:
  Recoverer(int fd, std::string folder, std::string filter)
      : fd_(fd), folder_(std::move(folder)), filter_(std::move(filter)) {}

  Status Save(const RawPart& part) {
    if (part.complete && part.name == kFlatName) return SaveDump(part);
    // Of a part that was cut nothing is known but how much there is for certain.
    return SaveFile(part, part.complete ? part.name : part.name + std::string(kIncomplete));
  }
  std::vector<std::string> TakeProblems() { return std::move(problems_); }

 private:
  // Gives all bytes of a part to `sink`; what cannot be read ends it, and is a problem.
  Status Copy(const RawPart& part, const Sink& sink) {
    Sha256 hash;
    ByteBuffer piece;
    for (uint64_t done = 0; done < part.size; done += piece.size()) {
      piece.resize(static_cast<size_t>(std::min<uint64_t>(kPiece, part.size - done)));
      Status read = ReadFullyAt(fd_, FileOffset(part.offset + done), piece);
      if (!read) {
        problems_.push_back(fmt::format("'{}': {}", part.name, read.error().message()));
        return {};
      }
      hash.Update(piece);
      TRY(sink(piece));
    }
    if (!part.complete) {
      problems_.push_back(fmt::format("'{}' ends early", part.name));
    } else if (hash.Finish() != part.sha256) {
      problems_.push_back(fmt::format("'{}' is not what was written: other digest", part.name));
    }
    return {};
  }

  Status SaveFile(const RawPart& part, const std::string& name) {
    std::string path = fmt::format("{}/{}", folder_, name);
    for (int number = 1; access(path.c_str(), F_OK) == 0; ++number)
      path = fmt::format("{}/{}-{}", folder_, name, number);
    UniqueFd out = TRY(OpenFile(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
    TRY(Copy(part, [&](ByteView bytes) {
      return WriteFully(out.get(), bytes).In(fmt::format("cannot write '{}'", path));
    }));
    if (fsync(out.get()) != 0) return SystemError(errno, fmt::format("cannot sync '{}'", path));
    return {};
  }

  // Through kdump-filter, which undoes the flattening. Without it the stream is kept as it is.
  Status SaveDump(const RawPart& part) {
    size_t before = problems_.size();
    Result<ExitState> end = Unflatten(part);
    if (end && end->ok()) return {};
    problems_.resize(before);
    problems_.push_back(fmt::format("'{}' cannot be made a dump by '{}' ({}); it is kept as it is",
                                    part.name, filter_,
                                    end ? end->ToString() : end.error().message()));
    return SaveFile(part, part.name);
  }

  Result<ExitState> Unflatten(const RawPart& part) {
    Pipe pipe = TRY(MakePipe());
    SpawnOptions options;
    options.stdin_fd = pipe.read_end.get();
    ChildProcess child = TRY(
        ChildProcess::Spawn({filter_, "-R", fmt::format("{}/{}", folder_, kVmcoreName)}, options));
    pipe.read_end.reset();
    // A child that is gone shows in its status.
    (void)Copy(part, [&](ByteView bytes) { return WriteFully(pipe.write_end.get(), bytes); });
    pipe.write_end.reset();
    return child.Wait();
  }

  int fd_;
  std::string folder_;
  std::string filter_;
  std::vector<std::string> problems_;
};

Result<UniqueFd> OpenDevice(const RecoverRequest& request, const RootDir& root,
                            CaptureSystem& system) {
  Destination destination = TRY(ParseDestination({"raw:" + request.device}));
  CaptureLog silent(-1, [] { return std::chrono::milliseconds(0); });
  Device device = TRY(WaitForDevice(destination, std::chrono::seconds(0), root, system, silent));
  return OpenFile(root.HostPath(device.path), O_RDWR);
}

}  // namespace

Result<Recovered> RecoverDump(const RecoverRequest& request, const RootDir& root,
                              CaptureSystem& system) {
  UniqueFd fd = TRY(OpenDevice(request, root, system));
  Result<RawHeader> header = ReadRawHeader(fd.get());
  Recovered recovered;
  bool nothing = header ? header->parts.empty() : header.error().kind() == ErrorKind::kUnsupported;
  if (nothing) return recovered;
  if (!header && header.error().kind() == ErrorKind::kTruncated)
    return UsageError("'{}' is too small for any dump; name the device of the 'raw:' destination",
                      request.device);
  if (!header) return std::move(header.error()).In(fmt::format("'{}'", request.device));
  NewFolder folder = TRY(NewFolder::Make(request.folder, header->folder));
  Recoverer recoverer(fd.get(), folder.path(), request.filter);
  for (const RawPart& part : header->parts) TRY(recoverer.Save(part));
  TRY(SyncDirectory(folder.path()));
  TRY(SyncDirectory(request.folder));
  recovered.problems = recoverer.TakeProblems();
  if (!header->complete) recovered.problems.emplace_back("the capture did not come to its end");
  recovered.folder = folder.Keep();
  TRY(ClearRawHeader(fd.get()).In(fmt::format("'{}'", request.device)));
  return recovered;
}

}  // namespace kdumpkit
