// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes that can be read at any place: a file, or what a file holds in another form.
#pragma once

#include <memory>

#include "base/address.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/unique_fd.h"

namespace kdumpkit {

class RandomAccess {
 public:
  virtual ~RandomAccess() = default;

  virtual uint64_t size() const = 0;
  // Fills `buffer` with the bytes from `offset` on; kTruncated when some of them are missing.
  // Thread safe.
  virtual Status ReadFully(FileOffset offset, ByteSpan buffer) const = 0;
};

// A file or a block device, as it is.
class OpenedFile final : public RandomAccess {
 public:
  // Fails on what cannot be read at random (a pipe).
  static Result<std::unique_ptr<OpenedFile>> Make(UniqueFd fd);

  uint64_t size() const override { return size_; }
  Status ReadFully(FileOffset offset, ByteSpan buffer) const override;

 private:
  OpenedFile(UniqueFd fd, uint64_t size) : fd_(std::move(fd)), size_(size) {}

  UniqueFd fd_;
  uint64_t size_;
};

}  // namespace kdumpkit
