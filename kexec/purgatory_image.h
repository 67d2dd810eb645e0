// SPDX-License-Identifier: GPL-2.0-or-later
// Purgatory: the code between two kernels. The dying kernel jumps to it; it checks that the
// segments are as they were loaded, copies the backup region and starts the new kernel. Its code
// is in kexec/purgatory/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ranges.h"

namespace kdumpkit {

struct PurgatoryRegion {
  std::string name;  // for the message; 31 characters of it
  ByteView bytes;    // what has to lie at `address`
  PhysAddr address;
};

struct PurgatoryOptions {
  uint64_t entry = 0;        // 64-bit entry of the kernel, physical
  uint64_t boot_params = 0;  // physical; handed over in %rsi
  std::optional<PhysRange> backup_source;
  PhysAddr backup_destination{0};        // copied to before the kernel starts
  std::vector<PurgatoryRegion> regions;  // verified; empty: nothing is
  uint16_t serial_port = 0;              // I/O port of an 8250, 0: silent
  // After a failed check: 0 stops for ever, > 0 resets after so many seconds, < 0 at once, as the
  // kernel's panic= has it.
  int32_t reset_seconds = 0;
};

struct PurgatoryImage {
  ByteBuffer bytes;
  uint64_t memory_size;   // whole pages
  uint64_t entry_offset;  // in `bytes`
};

// The image for x86_64. It is position independent and runs at any page-aligned address. Fails with
// too many regions (kUnsupported), a region that ends beyond all addresses or a backup onto itself
// (kMalformed), and in a program that was built on another machine (kUnsupported).
Result<PurgatoryImage> MakePurgatory(const PurgatoryOptions& options);

}  // namespace kdumpkit
