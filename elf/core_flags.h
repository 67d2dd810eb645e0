// SPDX-License-Identifier: GPL-2.0-or-later
// The mark of an incomplete core in e_flags, as makedumpfile(8) -E sets it.
#pragma once

#include <cstdint>
#include <optional>

namespace kdumpkit {

// None for machines that have flags of their own in that place.
constexpr std::optional<uint32_t> IncompleteFlag(uint16_t machine) {
  constexpr uint16_t k386 = 3, kX86_64 = 62, kAarch64 = 183;  // EM_386, EM_X86_64, EM_AARCH64
  if (machine == k386 || machine == kX86_64 || machine == kAarch64) return 1;
  return std::nullopt;
}

}  // namespace kdumpkit
