// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/mounted_target.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/file.h"
#include "capture/step_progress.h"

namespace kdumpkit {
namespace {

// More dumps than this in one second are not crashes.
constexpr int kMaxSameName = 100;
constexpr size_t kPiece = size_t{1} << 20;

Status SyncPath(const std::string& path) {
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY));
  if (fsync(fd.get()) != 0) return SystemError(errno, fmt::format("cannot sync '{}'", path));
  return {};
}

Status Rename(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) == 0) return {};
  return SystemError(errno, fmt::format("cannot rename '{}' to '{}'", from, to));
}

}  // namespace

Status FinishFile(const std::string& folder, std::string_view name) {
  std::string path = fmt::format("{}/{}", folder, name);
  TRY(SyncPath(fmt::format("{}{}", path, kIncomplete)));
  TRY(Rename(fmt::format("{}{}", path, kIncomplete), path));
  return SyncDirectory(folder);
}

Result<Digest> DigestOfFile(const std::string& path, const CaptureContext& context) {
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY));
  // Pages of the cache that are written already are dropped, so that the device is asked.
  (void)posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  struct stat file = {};
  (void)fstat(fd.get(), &file);
  StepProgress progress("reading the dump back", static_cast<uint64_t>(file.st_size), context.log);
  Sha256 hash;
  Digest digest;
  ByteBuffer piece(kPiece);
  for (;;) {
    context.Begin(fmt::format("reading '{}' back", path));
    size_t size = TRY(ReadAt(fd.get(), FileOffset(digest.size), piece).In(path));
    hash.Update(ByteView(piece).first(size));
    (void)posix_fadvise(fd.get(), static_cast<off_t>(digest.size), static_cast<off_t>(size),
                        POSIX_FADV_DONTNEED);
    digest.size += size;
    progress.Update(digest.size);
    if (size < piece.size()) break;
  }
  digest.sha256 = HexText(hash.Finish());
  return digest;
}

Result<std::unique_ptr<Target>> MountedTarget::Open(const Destination& destination,
                                                    const CaptureContext& context) {
  MountedFolder mounted = TRY(MountDestination(destination, context));
  context.log.Say("destination: {} ({}) mounted", mounted.name, mounted.detail);
  std::string parent = mounted.mount_point + (destination.path == "/" ? "" : destination.path);
  return std::unique_ptr<Target>(new MountedTarget(context, std::move(mounted), std::move(parent)));
}

std::string MountedTarget::Describe(std::string_view name) const {
  std::string_view within = folder_.empty() ? parent_ : folder_;
  within.remove_prefix(mounted_.mount_point.size());
  return fmt::format("{}:{}/{}", mounted_.name, within, name);
}

Result<std::optional<uint64_t>> MountedTarget::Room() {
  context_.Begin("asking for the free space");
  Result<uint64_t> free = context_.system.FreeBytes(mounted_.mount_point);
  if (!free) return free.error();
  return std::optional<uint64_t>(*free);
}

std::vector<std::string> MountedTarget::DumpNames() {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(parent_, error), end; !error && entry != end;
       entry.increment(error))
    names.push_back(entry->path().filename());
  return names;
}

Status MountedTarget::MakeFolder(const std::string& name) {
  context_.Begin("preparing the destination");
  std::error_code error;
  std::filesystem::create_directories(parent_, error);
  if (error) return SystemError(error.value(), fmt::format("cannot create folder '{}'", parent_));
  int failure = MakeNumberedFolder(name);
  // vfat has no colon in names.
  if (failure == EINVAL) {
    std::string without = name;
    std::replace(without.begin(), without.end(), ':', '-');
    failure = MakeNumberedFolder(without);
  }
  if (failure == 0) return SyncDirectory(parent_);
  return SystemError(failure, fmt::format("cannot create folder '{}'", folder_));
}

int MountedTarget::MakeNumberedFolder(const std::string& name) {
  for (int number = 1; number < kMaxSameName; ++number) {
    folder_ = number == 1 ? fmt::format("{}/{}", parent_, name)
                          : fmt::format("{}/{}-{}", parent_, name, number);
    if (mkdir(folder_.c_str(), 0700) == 0) return 0;
    if (errno != EEXIST) return errno;
  }
  return EEXIST;
}

Status MountedTarget::Begin(const std::string& name) {
  path_ = fmt::format("{}/{}", folder_, name);
  file_ = TRY(OpenFile(fmt::format("{}{}", path_, kIncomplete), O_WRONLY | O_CREAT | O_EXCL, 0600));
  return {};
}

Status MountedTarget::Write(ByteView bytes) {
  context_.Begin(fmt::format("writing '{}'", path_));
  return WriteFully(file_.get(), bytes).In(fmt::format("cannot write '{}'", path_));
}

Result<Verified> MountedTarget::End(const Digest& written) {
  context_.Begin(fmt::format("writing '{}'", path_));
  bool synced = fsync(file_.get()) == 0;
  int error = errno;
  file_.reset();
  if (!synced) return SystemError(error, fmt::format("cannot write '{}'", path_));
  std::string incomplete = fmt::format("{}{}", path_, kIncomplete);
  Digest found = TRY(DigestOfFile(incomplete, context_));
  if (found.sha256 != written.sha256)
    return Malformed("'{}' has not the bytes that were written: {} of {} bytes, another digest",
                     incomplete, found.size, written.size);
  TRY(FinishFile(folder_, path_.substr(folder_.size() + 1)));
  return Verified::kYes;
}

void MountedTarget::Abandon() {
  (void)fsync(file_.get());
  file_.reset();
}

void MountedTarget::SetAside(const std::string& name) {
  std::string from = fmt::format("{}/{}{}", folder_, name, kIncomplete);
  (void)rename(from.c_str(), fmt::format("{}{}", from, kAside).c_str());
}

void MountedTarget::DropAside(const std::string& name) {
  (void)unlink(fmt::format("{}/{}{}{}", folder_, name, kIncomplete, kAside).c_str());
}

Status MountedTarget::RemoveFolder() {
  context_.Begin("removing the test's folder");
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
  if (error) return SystemError(error.value(), fmt::format("cannot remove '{}'", folder_));
  return SyncDirectory(parent_);
}

Status MountedTarget::Close() { return UnmountDestination(mounted_, context_); }

}  // namespace kdumpkit
