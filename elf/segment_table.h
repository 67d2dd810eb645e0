// SPDX-License-Identifier: GPL-2.0-or-later
// From a physical address to the place in the file, in O(log n).
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/ranges.h"
#include "elf/vmcore.h"

namespace kdumpkit {

// Physical memory [base, base + size) stands in the file from `offset` on.
struct SegmentPiece {
  PhysAddr base;
  uint64_t size = 0;
  FileOffset offset;

  PhysAddr end() const { return base + size; }
};

// The file's segments cut into pieces that do not overlap. Where segments overlap they are copies
// of the same memory; of two that the file really has, the one that begins at the lower address is
// used (x86_64: the range of RAM rather than the kernel text inside it, so that fewer pieces are
// left), and a copy beyond the end of the file only where there is no other.
class SegmentTable {
 public:
  SegmentTable(std::span<const Segment> segments, uint64_t file_size);

  // Sorted and disjoint. A piece lies wholly inside the file or wholly beyond its end.
  std::span<const SegmentPiece> pieces() const { return pieces_; }
  // The pieces as merged ranges.
  std::span<const PhysRange> ranges() const { return ranges_; }
  // The pieces from the first that ends beyond `address` on; it may begin beyond it as well.
  std::span<const SegmentPiece> From(PhysAddr address) const;

 private:
  std::vector<SegmentPiece> pieces_;
  std::vector<PhysRange> ranges_;
};

}  // namespace kdumpkit
