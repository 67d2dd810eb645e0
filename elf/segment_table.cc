// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/segment_table.h"

#include <algorithm>

namespace kdumpkit {
namespace {

using Pieces = std::vector<SegmentPiece>;

bool LowerFirst(const SegmentPiece& a, const SegmentPiece& b) {
  return a.base != b.base ? a.base < b.base : a.size > b.size;
}

// The part of `piece` in [from, to); the caller knows that it is not empty.
SegmentPiece Cut(const SegmentPiece& piece, PhysAddr from, PhysAddr to) {
  PhysAddr begin = std::max(piece.base, from);
  PhysAddr end = std::min(piece.end(), to);
  return {begin, end - begin, piece.offset + (begin - piece.base)};
}

Pieces WithoutOverlap(Pieces pieces) {
  std::sort(pieces.begin(), pieces.end(), LowerFirst);
  Pieces result;
  PhysAddr covered(0);
  for (const SegmentPiece& piece : pieces) {
    if (piece.end() <= covered || piece.size == 0) continue;
    result.push_back(Cut(piece, covered, piece.end()));
    covered = piece.end();
  }
  return result;
}

// Adds to `present` what of `missing` it does not cover. Both are sorted and disjoint.
Pieces FillGaps(Pieces present, const Pieces& missing) {
  Pieces gaps;
  size_t next = 0;
  for (const SegmentPiece& piece : missing) {
    PhysAddr at = piece.base;
    while (next < present.size() && present[next].end() <= at) ++next;
    for (size_t i = next; at < piece.end(); ++i) {
      bool last = i == present.size() || present[i].base >= piece.end();
      PhysAddr gap_end = last ? piece.end() : present[i].base;
      if (gap_end > at) gaps.push_back(Cut(piece, at, gap_end));
      at = last ? piece.end() : present[i].end();
    }
  }
  present.insert(present.end(), gaps.begin(), gaps.end());
  std::sort(present.begin(), present.end(), LowerFirst);
  return present;
}

}  // namespace

SegmentTable::SegmentTable(std::span<const Segment> segments, uint64_t file_size) {
  Pieces present;
  Pieces missing;
  for (const Segment& segment : segments) {
    uint64_t start = std::min(segment.offset.value, file_size);
    uint64_t readable = std::min(segment.file_size, file_size - start);
    present.push_back({segment.paddr, readable, segment.offset});
    missing.push_back(
        {segment.paddr + readable, segment.file_size - readable, segment.offset + readable});
  }
  pieces_ = FillGaps(WithoutOverlap(std::move(present)), WithoutOverlap(std::move(missing)));
  for (const SegmentPiece& piece : pieces_) ranges_.push_back({piece.base, piece.size});
  ranges_ = MergeRanges(std::move(ranges_));
}

std::span<const SegmentPiece> SegmentTable::From(PhysAddr address) const {
  auto first = std::partition_point(pieces_.begin(), pieces_.end(), [&](const SegmentPiece& piece) {
    return piece.end() <= address;
  });
  return {first, pieces_.end()};
}

}  // namespace kdumpkit
