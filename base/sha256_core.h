// SPDX-License-Identifier: GPL-2.0-or-later
// SHA-256 (FIPS 180-4) for the host and for purgatory: the same source is compiled into both, so
// it needs no library, no vector registers and no memory but its own. Programs use base/sha256.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kdumpkit {

struct Sha256Digest {
  unsigned char bytes[32];

  bool operator==(const Sha256Digest& other) const;
};

class Sha256Core {
 public:
  static constexpr size_t kBlock = 64;  // bytes hashed at a time

  Sha256Core();
  // `data` may be null when there is none.
  void Update(const unsigned char* data, size_t size);
  // Of all that was given; the object is used up.
  Sha256Digest Finish();

 private:
  uint32_t hash_[8];
  uint64_t size_ = 0;  // of all that was given
  size_t used_ = 0;    // bytes in `block_`, fewer than a block
  unsigned char block_[kBlock];
};

Sha256Digest Sha256Of(const unsigned char* data, size_t size);

}  // namespace kdumpkit
