// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/dump_sink.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace kdumpkit {
namespace {

// fallocate(2), which a signal may interrupt; returns an errno value.
int Allocate(int fd, off_t start, off_t size) {
  while (fallocate(fd, 0, start, size) != 0)
    if (errno != EINTR) return errno;
  return 0;
}

}  // namespace

Status FileSink::WriteAt(FileOffset offset, ByteView bytes) {
  return WriteFullyAt(fd_, offset, bytes);
}

Status FileSink::Reserve(FileOffset start, FileOffset end) {
  auto from = static_cast<off_t>(start.value);
  auto to = static_cast<off_t>(end.value);
  if (to > from) {
    int error = Allocate(fd_, from, to - from);
    if (error == 0) return {};
    if (error != EOPNOTSUPP && error != ENOSYS)
      return SystemError(error, fmt::format("reserving {} bytes", to - from));
  }
  // A hole reads as zeros too.
  if (ftruncate(fd_, to) != 0) return SystemError(errno, "extending the dump file");
  return {};
}

}  // namespace kdumpkit
