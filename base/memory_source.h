// SPDX-License-Identifier: GPL-2.0-or-later
// Physical memory of a dead (or faked) machine, wherever it is kept: an ELF vmcore, a kdump file,
// a table in a test. All that follows sees only this.
#pragma once

#include <memory>
#include <span>

#include "base/address.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/ranges.h"

namespace kdumpkit {

// Reads physical memory for one thread; readers of one source may be used in parallel.
class MemoryReader {
 public:
  virtual ~MemoryReader() = default;

  // `size` bytes at `address`, valid until the next call on this reader. Zero-copy where the
  // source is mapped. Bytes outside the source's ranges read as zero as long as at least one byte
  // of the request exists (the fractional last page of a RAM range). Errors: kMalformed when no
  // byte exists, kTruncated when the file lacks them, kSystem (EIO, EFAULT …) when reading fails.
  // `size` may be at most kMaxView.
  virtual Result<ByteView> View(PhysAddr address, size_t size) = 0;

  static constexpr size_t kMaxView = size_t{4} << 20;
};

class MemorySource {
 public:
  virtual ~MemorySource() = default;

  // What exists: sorted, disjoint, not touching, in bytes (ends may be inside a page).
  // Valid as long as the source.
  virtual std::span<const PhysRange> ranges() const = 0;
  // The reader borrows the source.
  virtual std::unique_ptr<MemoryReader> NewReader() const = 0;
};

// Copies `buffer.size()` bytes (of any size) from `address` on.
Status ReadPhysical(MemoryReader& reader, PhysAddr address, ByteSpan buffer);

}  // namespace kdumpkit
