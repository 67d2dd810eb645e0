// SPDX-License-Identifier: GPL-2.0-or-later
// The header of an arm64 kernel: Linux Documentation/arch/arm64/booting.rst.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace kdumpkit {

struct Arm64Image {
  uint64_t text_offset = 0;  // from a 2 MiB boundary to where the kernel is loaded, bytes
  uint64_t image_size = 0;   // memory from there on until the kernel runs; 0 before Linux 3.17
  uint64_t flags = 0;
  uint64_t file_size = 0;  // what the file must have at least; 0 when unknown (no EFI stub)

  bool IsBigEndian() const { return (flags & 1) != 0; }
  // In bytes: 4096, 16384, 65536, or 0 when the header does not say.
  uint64_t PageSize() const;
};

// `head` is the beginning of the file. Absent when there is no such header.
std::optional<Arm64Image> ParseArm64Image(ByteView head);

}  // namespace kdumpkit
