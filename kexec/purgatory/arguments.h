// SPDX-License-Identifier: GPL-2.0-or-later
// What purgatory is told: one block at the beginning of its image. The program that loads a kernel
// writes it (kexec/purgatory_image.cc), purgatory reads it; head.S knows the first offsets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/sha256_core.h"

namespace kdumpkit::purgatory {

// "kdkpurg1" as bytes. The image as it is built carries it, too.
inline constexpr uint64_t kMagic = 0x31677275706b646b;
inline constexpr size_t kRegionsMost = 16;
inline constexpr size_t kNameSize = 32;  // with its NUL

// Memory that must be as it was when the kernel was loaded.
struct Region {
  uint64_t address;  // physical
  uint64_t size;     // bytes
  Sha256Digest digest;
  char name[kNameSize];  // for the message
};

struct Arguments {
  uint64_t magic;
  uint64_t entry;               // of the new kernel, physical
  uint64_t boot_params;         // physical; handed over in %rsi
  uint64_t backup_source;       // physical; copied before the kernel starts
  uint64_t backup_destination;  // physical
  uint64_t backup_size;         // bytes, 0: nothing is copied
  uint32_t region_count;
  int32_t reset_seconds;  // after a failure; 0: stop for ever, negative: reset at once
  uint32_t serial_port;   // I/O port of an 8250 that is set up already; 0: silent
  uint32_t unused;
  Region regions[kRegionsMost];
  Sha256Digest digest;  // of all that stands before it
};

static_assert(offsetof(Arguments, entry) == 8 && offsetof(Arguments, boot_params) == 16,
              "head.S reads these");

// What `digest` of the block has to be.
inline Sha256Digest DigestOf(const Arguments& arguments) {
  return Sha256Of(reinterpret_cast<const unsigned char*>(&arguments), offsetof(Arguments, digest));
}

}  // namespace kdumpkit::purgatory
