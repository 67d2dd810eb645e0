// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses of the dumped machine, each a type of its own, so that they cannot be mixed up.
#pragma once

#include <compare>
#include <cstdint>

namespace kdumpkit {

template <typename Tag>
struct StrongU64 {
  uint64_t value = 0;

  constexpr StrongU64() = default;
  constexpr explicit StrongU64(uint64_t v) : value(v) {}
  // NOLINTNEXTLINE(modernize-use-nullptr): false positive of clang-tidy 14 on <=>
  constexpr auto operator<=>(const StrongU64&) const = default;
  constexpr StrongU64 operator+(uint64_t delta) const { return StrongU64(value + delta); }
  constexpr StrongU64 operator-(uint64_t delta) const { return StrongU64(value - delta); }
  constexpr uint64_t operator-(StrongU64 other) const { return value - other.value; }
};

using PhysAddr = StrongU64<struct PhysAddrTag>;      // byte address in physical memory
using VirtAddr = StrongU64<struct VirtAddrTag>;      // byte address in the kernel's address space
using Pfn = StrongU64<struct PfnTag>;                // page frame number
using FileOffset = StrongU64<struct FileOffsetTag>;  // byte offset in a file

}  // namespace kdumpkit
