// SPDX-License-Identifier: GPL-2.0-or-later
// Looks at a flattened dump (docs/dump-formats.md) as it goes by: whether it begins and ends as
// one. A stream that was cut has no end mark, and no reader takes it for a dump.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace kdumpkit {

class StreamCheck {
 public:
  void Feed(ByteView bytes);
  // After all bytes; kMalformed or kTruncated when it is no whole flattened dump.
  Status Check() const;

 private:
  uint64_t size_ = 0;
  ByteBuffer head_;
  ByteBuffer tail_;
};

}  // namespace kdumpkit
