// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/sha256.h"

#include <fcntl.h>

#include "base/file.h"

namespace kdumpkit {
namespace {

constexpr size_t kPiece = size_t{256} << 10;

}  // namespace

Result<std::string> Sha256OfFile(const std::string& path) {
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY));
  Sha256 hash;
  ByteBuffer buffer(kPiece);
  FileOffset at(0);
  for (;;) {
    size_t size = TRY(ReadAt(fd.get(), at, buffer).In(fmt::format("'{}'", path)));
    if (size == 0) return HexText(hash.Finish());
    hash.Update(ByteView(buffer).first(size));
    // Of no effect on pages that are not on their device yet, and no matter when it fails.
    (void)posix_fadvise(fd.get(), static_cast<off_t>(at.value), static_cast<off_t>(size),
                        POSIX_FADV_DONTNEED);
    at = at + size;
  }
}

}  // namespace kdumpkit
