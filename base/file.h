// SPDX-License-Identifier: GPL-2.0-or-later
// Files: whole reads and writes with every short count and EINTR handled, and RootDir, through
// which /proc, /sys and /dev are opened so that tests can put a fixture tree in their place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/unique_fd.h"

namespace kdumpkit {

// open(2) with O_CLOEXEC added. The error names the path in single quotes.
Result<UniqueFd> OpenFile(const std::string& path, int flags, unsigned mode = 0);

// pread(2) until `buffer` is full or the file ends; returns the bytes read.
Result<size_t> ReadAt(int fd, FileOffset offset, ByteSpan buffer);
// As ReadAt, but the end of the file before the buffer is full is a kTruncated error.
Status ReadFullyAt(int fd, FileOffset offset, ByteSpan buffer);
// pwrite(2) of everything. ENOSPC and the like come back as kSystem with their errno.
Status WriteFullyAt(int fd, FileOffset offset, ByteView bytes);
// write(2) of everything at the current position.
Status WriteFully(int fd, ByteView bytes);

// Reads from the current position to the end; more than `limit` bytes is a kUnsupported error.
Result<ByteBuffer> ReadToEnd(int fd, size_t limit);

// fsync(2) of a folder, so that a rename in it survives a power cut.
Status SyncDirectory(const std::string& path);

// A directory that stands for "/". Paths are given as they are in a live system ("/proc/iomem").
class RootDir {
 public:
  // `path` is "/" in programs and a fixture tree in tests.
  static Result<RootDir> Open(const std::string& path = "/");

  // Fails with kSystem/ENOENT when the file does not exist.
  Result<UniqueFd> OpenAt(std::string_view path, int flags, unsigned mode = 0) const;
  Result<std::string> ReadText(std::string_view path, size_t limit = size_t{1} << 20) const;
  // The text without trailing white space, absent when the file cannot be read.
  std::optional<std::string> ReadLine(std::string_view path) const;
  bool Exists(std::string_view path) const;
  // The names in a directory, sorted, without "." and ".."; none when it cannot be read.
  std::vector<std::string> List(std::string_view path) const;
  // Writes to an existing file (sysfs attributes); does not create.
  Status WriteText(std::string_view path, std::string_view text) const;
  // The path below this root for messages and for calls that take no directory fd.
  std::string HostPath(std::string_view path) const;

 private:
  RootDir(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  UniqueFd fd_;
  std::string path_;
};

}  // namespace kdumpkit
