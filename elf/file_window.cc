// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/file_window.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace kdumpkit {
namespace {

// Windows begin at a multiple of this; a multiple of every page size Linux has.
constexpr uint64_t kAlignment = uint64_t{64} << 10;

struct ReadOutcome {
  size_t bytes = 0;
  int error_number = 0;  // 0: `bytes` is all, or all the file has
};

// Unlike ReadAt it keeps what came before an error.
ReadOutcome ReadUntilError(int fd, FileOffset offset, ByteSpan buffer) {
  size_t done = 0;
  while (done < buffer.size()) {
    ssize_t n = pread(fd, buffer.data() + done, buffer.size() - done,
                      static_cast<off_t>(offset.value + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return {done, errno};
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return {done, 0};
}

}  // namespace

FileWindow::FileWindow(int fd, uint64_t file_size, WindowMode mode, std::string path)
    : fd_(fd), file_size_(file_size), mode_(mode), path_(std::move(path)) {}

FileWindow::FileWindow(const DataSource& source, std::string path)
    : fd_(-1),
      source_(&source),
      file_size_(source.size()),
      mode_(WindowMode::kRead),
      path_(std::move(path)) {}

FileWindow::~FileWindow() { Drop(); }

void FileWindow::Drop() {
  if (!mapping_.empty()) munmap(mapping_.data(), mapping_.size());
  mapping_ = {};
  view_ = {};
}

bool FileWindow::Holds(FileOffset offset, size_t size) const {
  return offset >= begin_ && offset - begin_ <= view_.size() &&
         size <= view_.size() - (offset - begin_);
}

size_t FileWindow::NextSize(FileOffset offset, size_t wanted) {
  bool follows = offset >= begin_ && offset <= begin_ + view_.size();
  size_t limit = mode_ == WindowMode::kMap ? kMaxMapWindow : kMaxReadWindow;
  grown_ = follows ? std::min(grown_ * 2, limit) : kMinWindow;
  return std::min<uint64_t>(std::max(grown_, wanted), file_size_ - offset.value);
}

Result<ByteView> FileWindow::Get(FileOffset offset, size_t size) {
  if (!Holds(offset, size)) {
    if (offset.value > file_size_ || size > file_size_ - offset.value)
      return Truncated("'{}': {} bytes at {:#x} lie beyond the end of the file at {:#x}", path_,
                       size, offset.value, file_size_);
    size_t window = NextSize(offset, size);
    Drop();
    if (mode_ != WindowMode::kMap || !Map(offset, window)) TRY(Read(offset, window, size));
  }
  return view_.subspan(offset - begin_, size);
}

// A mapping that is refused is no error: reading may still work.
bool FileWindow::Map(FileOffset offset, size_t size) {
  uint64_t start = offset.value / kAlignment * kAlignment;
  size_t length = size + (offset.value - start);
  void* address = mmap(nullptr, length, PROT_READ, MAP_PRIVATE, fd_, static_cast<off_t>(start));
  if (address == MAP_FAILED) return false;
  mapping_ = {static_cast<std::byte*>(address), length};
  begin_ = FileOffset(start);
  view_ = mapping_;
  return true;
}

Status FileWindow::Read(FileOffset offset, size_t size, size_t wanted) {
  if (buffer_.size() < size) buffer_.resize(size);
  if (source_ != nullptr) return ReadSource(offset, size, wanted);
  ReadOutcome got = ReadUntilError(fd_, offset, ByteSpan(buffer_).first(size));
  // /proc/vmcore gives nothing at all when one page of the request is bad.
  if (got.bytes < wanted && got.error_number != 0 && size > wanted)
    got = ReadUntilError(fd_, offset, ByteSpan(buffer_).first(wanted));
  begin_ = offset;
  view_ = ByteView(buffer_).first(got.bytes);
  if (got.bytes >= wanted) return {};
  FileOffset bad = offset + got.bytes;
  if (got.error_number != 0)
    return SystemError(got.error_number, fmt::format("'{}': reading at {:#x}", path_, bad.value));
  return Truncated("'{}': the file ends at {:#x}, it had {:#x} bytes when it was opened", path_,
                   bad.value, file_size_);
}

// A source tells nothing of what came before a failure: then only what is wanted is asked for.
Status FileWindow::ReadSource(FileOffset offset, size_t size, size_t wanted) {
  Status read = source_->ReadFullyAt(offset, ByteSpan(buffer_).first(size));
  if (!read && size > wanted) {
    size = wanted;
    read = source_->ReadFullyAt(offset, ByteSpan(buffer_).first(size));
  }
  if (!read) return std::move(read).In(fmt::format("'{}'", path_));
  begin_ = offset;
  view_ = ByteView(buffer_).first(size);
  return {};
}

}  // namespace kdumpkit
