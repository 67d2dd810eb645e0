// SPDX-License-Identifier: GPL-2.0-or-later
// Sizes and addresses in pages. The kernel loads segments by whole pages.
#pragma once

#include <cstdint>

namespace kdumpkit {

inline constexpr uint64_t kPageBytes = 4096;

// `step` is not 0; the caller knows that the result fits.
constexpr uint64_t RoundDown(uint64_t value, uint64_t step) { return value / step * step; }
constexpr uint64_t RoundUp(uint64_t value, uint64_t step) {
  return RoundDown(value + step - 1, step);
}

}  // namespace kdumpkit
