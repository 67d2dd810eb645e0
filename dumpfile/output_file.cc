// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/output_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "base/file.h"

namespace kdumpkit {
namespace {

constexpr std::string_view kIncomplete = "-incomplete";

// Empty for a regular file.
std::string_view KindOf(mode_t mode) {
  if (S_ISREG(mode)) return {};
  if (S_ISDIR(mode)) return "directory";
  if (S_ISLNK(mode)) return "symbolic link";
  if (S_ISBLK(mode)) return "block device";
  if (S_ISCHR(mode)) return "character device";
  return "pipe or socket";
}

// Whether a dump may take the name `path`.
Status CheckDestination(const std::string& path, bool overwrite) {
  if (path.empty() || path.ends_with('/'))
    return UsageError("'{}' is no file name; add the name of the dump file", path);
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return SystemError(errno, fmt::format("cannot create '{}'", path));
  }
  std::string_view kind = KindOf(status.st_mode);
  if (!kind.empty())
    return UsageError("'{}' is a {}; a dump needs the name of a file in a file system", path, kind);
  if (!overwrite) return UsageError("'{}' exists; choose another name or overwrite it (-f)", path);
  return {};
}

Error CannotCreate(const std::string& path, int error) {
  if (error == EEXIST)
    return UsageError("'{}' is left from an earlier dump; move it away or overwrite it (-f)", path);
  Error plain = SystemError(error, fmt::format("cannot create '{}'", path));
  std::string_view advice;
  if (error == ENOENT) advice = "; create the directory first";
  if (error == EROFS) advice = "; mount it writable or choose another destination";
  return Error(plain.kind(), error, plain.message() + std::string(advice));
}

// `from` is still the file open as `fd`, not one that another process put in its place.
bool IsSameFile(int fd, const std::string& path) {
  struct stat ours, there;
  return fstat(fd, &ours) == 0 && lstat(path.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
         ours.st_ino == there.st_ino;
}

// rename(2) that never replaces a file; returns an errno value.
int RenameNew(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system without that flag (NFS, FAT before 6.0): look first. A file that appears between
  // the two calls is lost; there is no better way on such a file system.
  struct stat status;
  if (lstat(to.c_str(), &status) == 0) return EEXIST;
  return rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

std::string IncompleteName(const std::string& path) {
  return path.ends_with(kIncomplete) ? path : path + std::string(kIncomplete);
}

}  // namespace

std::string ParentDirectory(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status OutputFile::CheckCreatable(const std::string& path, bool overwrite) {
  TRY(CheckDestination(path, overwrite));
  std::string incomplete = IncompleteName(path);
  if (!overwrite && access(incomplete.c_str(), F_OK) == 0) return CannotCreate(incomplete, EEXIST);
  if (access(ParentDirectory(path).c_str(), W_OK | X_OK) != 0)
    return CannotCreate(incomplete, errno);
  return {};
}

Result<OutputFile> OutputFile::Create(const std::string& path, bool overwrite) {
  TRY(CheckDestination(path, overwrite));
  OutputFile file;
  file.path_ = path;
  file.incomplete_path_ = IncompleteName(path);
  file.overwrite_ = overwrite;
  // Removed rather than truncated: whoever still has the old file open keeps it unharmed.
  if (overwrite && unlink(file.incomplete_path_.c_str()) != 0 && errno != ENOENT)
    return CannotCreate(file.incomplete_path_, errno);
  file.fd_.reset(open(file.incomplete_path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                      S_IRUSR | S_IWUSR));
  if (!file.fd_.valid()) return CannotCreate(file.incomplete_path_, errno);
  return file;
}

OutputFile::~OutputFile() {
  if (fd_.valid() && !keep_ && IsSameFile(fd_.get(), incomplete_path_))
    unlink(incomplete_path_.c_str());
}

Status OutputFile::Rename() const {
  if (!IsSameFile(fd_.get(), incomplete_path_))
    return UsageError("'{}' was replaced or removed while it was written", incomplete_path_);
  if (path_ == incomplete_path_) return {};
  int error = 0;
  if (!overwrite_)
    error = RenameNew(incomplete_path_, path_);
  else if (rename(incomplete_path_.c_str(), path_.c_str()) != 0)
    error = errno;
  if (error == 0) return {};
  return SystemError(error, fmt::format("cannot rename '{}' to '{}'", incomplete_path_, path_));
}

Status OutputFile::Commit() {
  TRY(Keep());
  TRY(Rename());
  return SyncDirectory(ParentDirectory(path_));
}

Status OutputFile::Restart() {
  if (ftruncate(fd_.get(), 0) != 0)
    return SystemError(errno, fmt::format("cannot empty '{}'", incomplete_path_));
  return {};
}

Status OutputFile::Keep() {
  keep_ = true;
  if (fsync(fd_.get()) != 0)
    return SystemError(errno, fmt::format("cannot sync '{}'", incomplete_path_));
  return {};
}

}  // namespace kdumpkit
