// SPDX-License-Identifier: GPL-2.0-or-later
// A window on a large file: one part of it in memory at a time.
#pragma once

#include <string>

#include "base/address.h"
#include "base/bytes.h"
#include "base/data_source.h"
#include "base/error.h"

namespace kdumpkit {

// How the bytes get into the window.
//
// kMap is for /proc/vmcore. There mmap(2) enters every page of old memory into the page table at
// once, so that touching it cannot fault, while read(2) maps and unmaps each page in the kernel.
//
// kRead is for all other files. A page of a mapped regular file that turns out to be unreadable,
// or that was truncated away, is a SIGBUS, which no check can rule out; to pread(2) it is an
// error. Nor would mapping be faster: the page faults of a cached 3.8 GiB vmcore cost more than
// pread's copying (0.65 s of CPU time against 0.48, tests/bench/floor_bench.cc), and what was just
// copied is in the cache of the core when the codec reads it. MAP_POPULATE, windows of 256 KiB to
// 64 MiB and MAP_SHARED were all slower than reading. Windows of 64 to 512 KiB make no difference;
// those beyond the cache of a core are slower.
enum class WindowMode { kRead, kMap };

// For one thread. Grows its window while the requests follow each other and begins small again
// after a jump, so that scattered pages do not drag their neighbours in.
class FileWindow {
 public:
  static constexpr size_t kMinWindow = size_t{16} << 10;
  static constexpr size_t kMaxReadWindow = size_t{256} << 10;
  static constexpr size_t kMaxMapWindow = size_t{1} << 20;

  // `fd` stays the caller's and must outlive the window; `file_size` is where windows end.
  // `path` is for messages.
  FileWindow(int fd, uint64_t file_size, WindowMode mode, std::string path);
  // On what is no file of its own; read as with kRead. The source must outlive the window.
  FileWindow(const DataSource& source, std::string path);
  ~FileWindow();
  FileWindow(const FileWindow&) = delete;
  FileWindow& operator=(const FileWindow&) = delete;

  // `size` bytes at `offset`, valid until the next call. Errors: kTruncated beyond the end of the
  // file, kSystem when reading fails; both are about this request only.
  Result<ByteView> Get(FileOffset offset, size_t size);

 private:
  bool Holds(FileOffset offset, size_t size) const;
  size_t NextSize(FileOffset offset, size_t wanted);
  bool Map(FileOffset offset, size_t size);
  Status Read(FileOffset offset, size_t size, size_t wanted);
  Status ReadSource(FileOffset offset, size_t size, size_t wanted);
  void Drop();

  int fd_;
  const DataSource* source_ = nullptr;  // in place of `fd_`
  uint64_t file_size_;
  WindowMode mode_;
  std::string path_;
  size_t grown_ = kMinWindow;
  FileOffset begin_;   // of the bytes in view_
  ByteView view_;      // in mapping_ or buffer_
  ByteSpan mapping_;   // whole pages, unmapped by Drop
  ByteBuffer buffer_;  // kept from one window to the next
};

}  // namespace kdumpkit
