// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/state_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <thread>

namespace kdumpkit {
namespace {

Status MakeFolderOf(const std::string& path) {
  std::error_code error;
  std::string folder = std::filesystem::path(path).parent_path();
  bool is_new = std::filesystem::create_directories(folder, error);
  if (error) return SystemError(error.value(), fmt::format("cannot make folder '{}'", folder));
  // Whatever the umask of a unit is: "kdumpctl status" is for everybody.
  if (is_new && chmod(folder.c_str(), 0755) != 0)
    return SystemError(errno, fmt::format("'{}'", folder));
  return {};
}

Status WriteAndSync(const std::string& path, std::string_view text, unsigned permissions) {
  UniqueFd fd = TRY(OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, permissions));
  if (fchmod(fd.get(), permissions) != 0) return SystemError(errno, fmt::format("'{}'", path));
  TRY(WriteFully(fd.get(), AsBytes(text)).In(fmt::format("cannot write '{}'", path)));
  if (fsync(fd.get()) != 0) return SystemError(errno, fmt::format("cannot sync '{}'", path));
  return {};
}

Result<UniqueFd> OpenLock(const RootDir& root, const std::string& path) {
  std::string file = root.HostPath(path);
  TRY(MakeFolderOf(file));
  return OpenFile(file, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
}

// For messages about who has the lock.
void NoteOwner(int fd) {
  std::string text = fmt::format("{}\n", getpid());
  if (ftruncate(fd, 0) == 0) (void)WriteFullyAt(fd, FileOffset(0), AsBytes(text));
}

std::string Owner(int fd) {
  ByteBuffer buffer(32);
  Result<size_t> size = ReadAt(fd, FileOffset(0), buffer);
  std::string text(AsText(buffer).substr(0, size.value_or(0)));
  return text.substr(0, text.find('\n'));
}

constexpr const char kLock[] = "/run/lock/kdump";

}  // namespace

std::string ImagePath(const std::string& release) {
  return fmt::format("{}/initramfs-{}.img", kStateFolder, release);
}

std::string RecordPath(const std::string& release) {
  return fmt::format("{}/initramfs-{}.json", kStateFolder, release);
}

Status MakeStateFolder(const RootDir& root) { return MakeFolderOf(root.HostPath(ImagePath("x"))); }

Status WriteStateFile(const RootDir& root, const std::string& path, std::string_view text,
                      unsigned permissions) {
  std::string file = root.HostPath(path);
  std::string incomplete = file + "-incomplete";
  TRY(MakeFolderOf(file));
  Status written = WriteAndSync(incomplete, text, permissions);
  if (!written) {
    (void)unlink(incomplete.c_str());
    return written;
  }
  if (rename(incomplete.c_str(), file.c_str()) != 0)
    return SystemError(errno, fmt::format("cannot rename '{}'", incomplete));
  return SyncDirectory(std::filesystem::path(file).parent_path());
}

Result<ServiceLock> ServiceLock::Take(const RootDir& root, std::chrono::seconds limit) {
  constexpr std::chrono::milliseconds kStep{100};
  UniqueFd fd = TRY(OpenLock(root, kLock));
  auto end = std::chrono::steady_clock::now() + limit;
  while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return SystemError(errno, fmt::format("cannot lock '{}'", root.HostPath(kLock)));
    if (std::chrono::steady_clock::now() >= end)
      return UsageError("process {} is at work on kdump (it holds '{}'); try again later",
                        Owner(fd.get()), root.HostPath(kLock));
    std::this_thread::sleep_for(kStep);
  }
  NoteOwner(fd.get());
  return ServiceLock(std::move(fd));
}

Result<ServiceLock> ServiceLock::TryNamed(const RootDir& root, const std::string& name) {
  std::string path = fmt::format("{}/{}.lock", kRunFolder, name);
  UniqueFd fd = TRY(OpenLock(root, path));
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
    return SystemError(errno, fmt::format("cannot lock '{}'", root.HostPath(path)));
  return ServiceLock(std::move(fd));
}

}  // namespace kdumpkit
