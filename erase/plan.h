// SPDX-License-Identifier: GPL-2.0-or-later
// What is to be overwritten, as physical memory.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/ranges.h"

namespace kdumpkit {

enum class EraseFill : uint8_t {
  kNul = 0,
  kX = 'X',
};

struct ErasePiece {
  PhysRange range;
  EraseFill fill = EraseFill::kX;
};

class ErasePlan {
 public:
  ErasePlan() = default;
  // Pieces in any order, with overlaps: there, 'X' wins.
  explicit ErasePlan(const std::vector<ErasePiece>& pieces);

  // Sorted, disjoint.
  const std::vector<ErasePiece>& pieces() const { return pieces_; }
  bool empty() const { return pieces_.empty(); }
  uint64_t bytes() const;
  // Pages that have a byte of it.
  uint64_t PageCount(uint64_t page_size) const;

  // One binary search.
  bool Touches(const PhysRange& range) const;
  // Overwrites what `bytes`, which are memory from `address` on, have of it.
  void Apply(PhysAddr address, ByteSpan bytes) const;

 private:
  // Index of the first piece that ends behind `address`.
  size_t FirstAfter(PhysAddr address) const;

  std::vector<ErasePiece> pieces_;
};

}  // namespace kdumpkit
