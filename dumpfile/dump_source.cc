// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/dump_source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/file.h"
#include "dumpfile/flattened_source.h"

namespace kdumpkit {

Result<std::unique_ptr<FileSource>> FileSource::Open(UniqueFd fd) {
  struct stat status;
  if (fstat(fd.get(), &status) != 0)
    return SystemError(errno, "cannot read the size of the dump file");
  return std::unique_ptr<FileSource>(
      new FileSource(std::move(fd), static_cast<uint64_t>(status.st_size)));
}

Status FileSource::ReadFullyAt(FileOffset offset, ByteSpan buffer) const {
  return kdumpkit::ReadFullyAt(fd_.get(), offset, buffer);
}

void FileSource::DropCache() const { (void)posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED); }

Result<std::unique_ptr<DumpSource>> OpenDumpSource(const std::string& path) {
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY));
  ByteBuffer begin(kFlattenedSignature.size());
  size_t size = TRY(ReadAt(fd.get(), FileOffset(0), begin));
  if (AsText(ByteView(begin).first(size)) == kFlattenedSignature)
    return std::unique_ptr<DumpSource>(TRY(FlattenedSource::Open(std::move(fd))));
  return std::unique_ptr<DumpSource>(TRY(FileSource::Open(std::move(fd))));
}

}  // namespace kdumpkit
