// SPDX-License-Identifier: GPL-2.0-or-later
// Whether an image fits into the reservation: the kernel's own search for places, done beforehand.
#pragma once

#include <cstdint>

#include "base/ranges.h"

namespace kdumpkit {

// Bytes of memory that an image takes, as far as is known before it is loaded.
struct MemoryNeed {
  uint64_t kernel = 0;
  uint64_t kernel_alignment = 1;  // of its address
  uint64_t initrd = 0;
  uint64_t elfcorehdr = 0;  // list of the memory to dump; crash kernel only
  uint64_t other = 0;       // purgatory, boot parameters, control pages: the least they take

  uint64_t Total() const { return kernel + initrd + elfcorehdr + other; }
};

enum class Fit { kNo, kMaybe, kYes };

// The kernel (kernel/kexec_file.c and arch/x86/kernel/kexec-bzimage64.c of Linux) puts the
// elfcorehdr at the bottom of the range; the small segments, the kernel and the initrd one after
// the other as high as possible. Sizes of small segments are not known exactly: kMaybe when it
// depends on them.
Fit PlaceInRange(const PhysRange& range, const MemoryNeed& need);

// The same when only the size of the range is known.
Fit PlaceInSize(uint64_t size, const MemoryNeed& need);

}  // namespace kdumpkit
