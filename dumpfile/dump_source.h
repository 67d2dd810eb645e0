// SPDX-License-Identifier: GPL-2.0-or-later
// Where the bytes of a dump come from: a file, or a flattened stream that is kept in a file
// (flattened_source.h).
#pragma once

#include <memory>
#include <string>

#include "base/data_source.h"
#include "base/unique_fd.h"

namespace kdumpkit {

class DumpSource : public DataSource {
 public:
  // What is cached of it is forgotten, so that the next read asks the device. Without effect where
  // that cannot be, and on what is not written back yet.
  virtual void DropCache() const = 0;
};

// A file, from its beginning.
class FileSource final : public DumpSource {
 public:
  static Result<std::unique_ptr<FileSource>> Open(UniqueFd fd);

  uint64_t size() const override { return size_; }
  Status ReadFullyAt(FileOffset offset, ByteSpan buffer) const override;
  void DropCache() const override;

 private:
  FileSource(UniqueFd fd, uint64_t size) : fd_(std::move(fd)), size_(size) {}

  UniqueFd fd_;
  uint64_t size_;
};

// A dump in either form, told apart by its first bytes.
Result<std::unique_ptr<DumpSource>> OpenDumpSource(const std::string& path);

}  // namespace kdumpkit
