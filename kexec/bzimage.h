// SPDX-License-Identifier: GPL-2.0-or-later
// The x86 boot header of a bzImage: Linux Documentation/arch/x86/boot.rst.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace kdumpkit {

struct BzImage {
  uint16_t protocol = 0;  // 0x020f is 2.15
  uint8_t loadflags = 0;
  uint16_t xloadflags = 0;         // since 2.12, else 0
  uint64_t file_size = 0;          // what the file must have at least: setup code and payload
  uint32_t command_line_size = 0;  // longest command line in bytes, without the final NUL
  uint32_t kernel_alignment = 0;   // of the load address, in bytes
  uint64_t init_size = 0;          // memory from the load address on until the kernel runs
  std::string version;             // as "uname -r", and who built it; may be empty

  // Has a 64-bit entry that works at any address, which kexec_file_load needs.
  bool Is64Bit() const;
};

// `head` is the beginning of the file. Absent when there is no boot header.
std::optional<BzImage> ParseBzImage(ByteView head);

}  // namespace kdumpkit
