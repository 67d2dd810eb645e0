// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/random_access.h"

#include <unistd.h>

#include <cerrno>

#include "base/file.h"

namespace kdumpkit {

Result<std::unique_ptr<OpenedFile>> OpenedFile::Make(UniqueFd fd) {
  // Also the size of a block device, which fstat(2) does not know.
  off_t end = lseek(fd.get(), 0, SEEK_END);
  if (end < 0) return SystemError(errno, "cannot be read at random");
  return std::unique_ptr<OpenedFile>(new OpenedFile(std::move(fd), static_cast<uint64_t>(end)));
}

Status OpenedFile::ReadFully(FileOffset offset, ByteSpan buffer) const {
  return ReadFullyAt(fd_.get(), offset, buffer);
}

}  // namespace kdumpkit
