// SPDX-License-Identifier: GPL-2.0-or-later
// The elfcorehdr: an ELF header and program headers that lie in the crash kernel's memory and tell
// it what of the old kernel's memory to offer as /proc/vmcore (fs/proc/vmcore.c of Linux). Offsets
// in it are physical addresses.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/ranges.h"
#include "kexec/kernel_mapping.h"

namespace kdumpkit {

// Memory that is copied away before the crash kernel starts, because that will write over it.
struct Backup {
  PhysRange source;
  PhysAddr destination;
};

struct DumpContents {
  // Notes that the kernel fills in when it crashes: one a processor, then VMCOREINFO.
  std::vector<PhysRange> notes;
  KernelMapping kernel;
  std::vector<PhysRange> ranges;  // RAM; ascending, disjoint
  std::optional<Backup> backup;
};

// The notes of every processor that /sys/devices/system/cpu lists (their numbers may have holes)
// and of VMCOREINFO. Fails when no processor has any; a missing VMCOREINFO is a sentence in
// `notes`.
Result<std::vector<PhysRange>> ReadCrashNotes(const RootDir& root, std::vector<std::string>& notes);

// The header's count has 16 bits and the crash kernel takes it literally: it does not know the
// escape (PN_XNUM) that would allow more. When there are more ranges, the largest are kept.
// Returns the bytes of memory that are left out.
uint64_t LimitHeaders(DumpContents& contents);

// Like the kernel's own for kexec_file_load (crash_prepare_elf64_headers()): notes first, then the
// kernel at its own addresses, then RAM at those of the direct map, all from one physical address.
// RAM inside the backup's source is read from its copy.
ByteBuffer MakeElfcorehdr(const DumpContents& contents);

}  // namespace kdumpkit
