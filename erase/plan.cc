// SPDX-License-Identifier: GPL-2.0-or-later
#include "erase/plan.h"

#include <algorithm>

namespace kdumpkit {
namespace {

std::vector<PhysRange> OfFill(const std::vector<ErasePiece>& pieces, EraseFill fill) {
  std::vector<PhysRange> ranges;
  for (const ErasePiece& piece : pieces)
    if (piece.fill == fill) ranges.push_back(piece.range);
  return MergeRanges(std::move(ranges));
}

}  // namespace

ErasePlan::ErasePlan(const std::vector<ErasePiece>& pieces) {
  std::vector<PhysRange> crossed = OfFill(pieces, EraseFill::kX);
  std::vector<PhysRange> nulled = SubtractRanges(OfFill(pieces, EraseFill::kNul), crossed);
  for (const PhysRange& range : crossed) pieces_.push_back({range, EraseFill::kX});
  for (const PhysRange& range : nulled) pieces_.push_back({range, EraseFill::kNul});
  std::sort(pieces_.begin(), pieces_.end(),
            [](const ErasePiece& a, const ErasePiece& b) { return a.range.base < b.range.base; });
}

uint64_t ErasePlan::bytes() const {
  uint64_t sum = 0;
  for (const ErasePiece& piece : pieces_) sum += piece.range.size;
  return sum;
}

uint64_t ErasePlan::PageCount(uint64_t page_size) const {
  uint64_t pages = 0;
  uint64_t next = 0;  // the first page that is not counted yet
  for (const ErasePiece& piece : pieces_) {
    uint64_t first = std::max(next, piece.range.base.value / page_size);
    uint64_t end = (piece.range.end().value - 1) / page_size + 1;
    if (end > first) pages += end - first;
    next = std::max(next, end);
  }
  return pages;
}

size_t ErasePlan::FirstAfter(PhysAddr address) const {
  auto found = std::upper_bound(
      pieces_.begin(), pieces_.end(), address,
      [](PhysAddr value, const ErasePiece& piece) { return value < piece.range.end(); });
  return static_cast<size_t>(found - pieces_.begin());
}

bool ErasePlan::Touches(const PhysRange& range) const {
  size_t at = FirstAfter(range.base);
  return at < pieces_.size() && pieces_[at].range.base < range.end();
}

void ErasePlan::Apply(PhysAddr address, ByteSpan bytes) const {
  PhysAddr end = address + bytes.size();
  for (size_t at = FirstAfter(address); at < pieces_.size(); ++at) {
    const PhysRange& range = pieces_[at].range;
    if (range.base >= end) return;
    uint64_t from = std::max(range.base, address) - address;
    uint64_t to = std::min(range.end(), end) - address;
    std::fill(bytes.begin() + static_cast<ptrdiff_t>(from),
              bytes.begin() + static_cast<ptrdiff_t>(to), static_cast<std::byte>(pieces_[at].fill));
  }
}

}  // namespace kdumpkit
