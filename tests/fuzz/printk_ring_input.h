// SPDX-License-Identifier: GPL-2.0-or-later
// The parts of a printk ring (tests/support/printk_ring_builder.h, default sizes) that make an
// input of the fuzz target, one behind the other.
#pragma once

#include "tests/support/printk_ring_builder.h"

namespace kdumpkit {

struct PrintkRingPart {
  uint64_t address;
  size_t size;
};

inline constexpr PrintkRingPart kPrintkRingParts[] = {
    {PrintkRingBuilder::kPrb, 8},         {PrintkRingBuilder::kRing, 88},
    {PrintkRingBuilder::kDescs, 32 * 24}, {PrintkRingBuilder::kInfos, 32 * 88},
    {PrintkRingBuilder::kData, 1024},
};

}  // namespace kdumpkit
