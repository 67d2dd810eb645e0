// SPDX-License-Identifier: GPL-2.0-or-later
// The image of purgatory as it was built, in this program's own memory.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace kdumpkit::purgatory {

struct BuiltImage {
  ByteView bytes;
  uint64_t entry_offset;  // in `bytes`
};

// For x86_64. Absent in a program that was built where no code for that machine can be.
std::optional<BuiltImage> X86Image();

}  // namespace kdumpkit::purgatory
