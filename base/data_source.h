// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes at offsets, wherever they are kept: a file, or one that is packed in another.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/bytes.h"
#include "base/error.h"

namespace kdumpkit {

class DataSource {
 public:
  virtual ~DataSource() = default;

  // Bytes, as a file.
  virtual uint64_t size() const = 0;
  // All of `buffer`; the end before that is kTruncated. Thread safe.
  virtual Status ReadFullyAt(FileOffset offset, ByteSpan buffer) const = 0;
};

}  // namespace kdumpkit
