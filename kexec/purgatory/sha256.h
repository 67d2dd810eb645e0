// SPDX-License-Identifier: GPL-2.0-or-later
// SHA-256 (FIPS 180-4) for the host and for purgatory: the same source is compiled into both, so
// it needs no library, no vector registers and no memory but the stack.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kdumpkit::purgatory {

struct Digest {
  unsigned char bytes[32];

  bool operator==(const Digest& other) const;
};

// Of `size` bytes at `data`, which may be null when there are none.
Digest Sha256(const unsigned char* data, size_t size);

}  // namespace kdumpkit::purgatory
