// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace kdumpkit {
namespace {

// Linux transfers at most 2 GiB - 4 KiB in one call.
constexpr size_t kMaxTransfer = size_t{1} << 30;

std::string_view Relative(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  return path.empty() ? std::string_view(".") : path;
}

}  // namespace

Result<UniqueFd> OpenFile(const std::string& path, int flags, unsigned mode) {
  UniqueFd fd(open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.valid()) return SystemError(errno, fmt::format("cannot open '{}'", path));
  return fd;
}

Result<size_t> ReadAt(int fd, FileOffset offset, ByteSpan buffer) {
  size_t done = 0;
  while (done < buffer.size()) {
    ssize_t n = pread(fd, buffer.data() + done, std::min(buffer.size() - done, kMaxTransfer),
                      static_cast<off_t>(offset.value + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return SystemError(errno, fmt::format("reading {} bytes at offset {:#x}",
                                            buffer.size() - done, offset.value + done));
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

Status ReadFullyAt(int fd, FileOffset offset, ByteSpan buffer) {
  size_t done = TRY(ReadAt(fd, offset, buffer));
  if (done < buffer.size())
    return Truncated("the file ends at offset {:#x}, {} bytes at offset {:#x} are missing",
                     offset.value + done, buffer.size() - done, offset.value + done);
  return {};
}

Status WriteFullyAt(int fd, FileOffset offset, ByteView bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t n = pwrite(fd, bytes.data() + done, std::min(bytes.size() - done, kMaxTransfer),
                       static_cast<off_t>(offset.value + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return SystemError(errno, fmt::format("writing {} bytes at offset {:#x}", bytes.size() - done,
                                            offset.value + done));
    done += static_cast<size_t>(n);
  }
  return {};
}

Status WriteFully(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    ssize_t n = write(fd, bytes.data(), std::min(bytes.size(), kMaxTransfer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError(errno, fmt::format("writing {} bytes", bytes.size()));
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return {};
}

Result<ByteBuffer> ReadToEnd(int fd, size_t limit) {
  ByteBuffer buffer;
  for (;;) {
    size_t at = buffer.size();
    size_t step = std::min(std::max(at, size_t{64} << 10), limit + 1 - at);
    if (step == 0) return Unsupported("more than {} bytes", limit);
    buffer.resize(at + step);
    ssize_t n = read(fd, buffer.data() + at, step);
    if (n < 0 && errno != EINTR) return SystemError(errno, fmt::format("reading at {:#x}", at));
    buffer.resize(at + static_cast<size_t>(std::max<ssize_t>(n, 0)));
    if (n == 0) return buffer;
  }
}

Status SyncDirectory(const std::string& path) {
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY | O_DIRECTORY));
  if (fsync(fd.get()) != 0)
    return SystemError(errno, fmt::format("cannot sync directory '{}'", path));
  return {};
}

Result<RootDir> RootDir::Open(const std::string& path) {
  UniqueFd fd = TRY(OpenFile(path, O_PATH | O_DIRECTORY));
  return RootDir(std::move(fd), path);
}

Result<UniqueFd> RootDir::OpenAt(std::string_view path, int flags, unsigned mode) const {
  std::string relative(Relative(path));
  UniqueFd fd(openat(fd_.get(), relative.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.valid()) return SystemError(errno, fmt::format("cannot open '{}'", HostPath(path)));
  return fd;
}

Result<std::string> RootDir::ReadText(std::string_view path, size_t limit) const {
  UniqueFd fd = TRY(OpenAt(path, O_RDONLY));
  ByteBuffer bytes =
      TRY(ReadToEnd(fd.get(), limit).In(fmt::format("cannot read '{}'", HostPath(path))));
  return std::string(AsText(bytes));
}

std::optional<std::string> RootDir::ReadLine(std::string_view path) const {
  Result<std::string> text = ReadText(path);
  if (!text) return std::nullopt;
  size_t end = text->find_last_not_of(" \t\r\n");
  return text->substr(0, end == std::string::npos ? 0 : end + 1);
}

bool RootDir::Exists(std::string_view path) const {
  return faccessat(fd_.get(), std::string(Relative(path)).c_str(), F_OK, 0) == 0;
}

std::vector<std::string> RootDir::List(std::string_view path) const {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(HostPath(path), error), end;
       !error && entry != end; entry.increment(error))
    names.push_back(entry->path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

Status RootDir::WriteText(std::string_view path, std::string_view text) const {
  UniqueFd fd = TRY(OpenAt(path, O_WRONLY));
  return WriteFully(fd.get(), AsBytes(text)).In(fmt::format("cannot write '{}'", HostPath(path)));
}

std::string RootDir::HostPath(std::string_view path) const {
  if (path_ == "/") return fmt::format("/{}", Relative(path));
  return fmt::format("{}/{}", path_, Relative(path));
}

}  // namespace kdumpkit
