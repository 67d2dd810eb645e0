// SPDX-License-Identifier: GPL-2.0-or-later
// SHA-256 of what a program has in pieces, or in a file.
#pragma once

#include <array>
#include <string>

#include "base/bytes.h"
#include "base/sha256_core.h"

namespace kdumpkit {

class Sha256 {
 public:
  void Update(ByteView bytes) { core_.Update(AsUnsigned(bytes.data()), bytes.size()); }
  // Of all that was given; the object is used up.
  std::array<std::byte, 32> Finish() {
    return std::bit_cast<std::array<std::byte, 32>>(core_.Finish());
  }

 private:
  Sha256Core core_;
};

// The digest of a file from its beginning to its end, as sha256sum(1) prints it. What was read does
// not stay in the page cache: a dump is larger than the memory of the kernel that hashes it.
Result<std::string> Sha256OfFile(const std::string& path);

}  // namespace kdumpkit
