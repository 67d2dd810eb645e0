// SPDX-License-Identifier: GPL-2.0-or-later
// What kexec_load(2) is given on x86_64: every piece of memory that the new kernel finds when it
// starts, made from the files and from what /proc and /sys tell of the machine.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/ranges.h"
#include "kexec/kernel_file.h"
#include "kexec/memory_map.h"
#include "kexec/syscalls.h"

namespace kdumpkit {

struct SegmentRequest {
  Slot slot = Slot::kReboot;
  const KernelFile& kernel;  // a bzImage or an ELF file
  ByteView initrd;           // may be empty
  // As the user wants it; elfcorehdr= and acpi_rsdp= are put in front of it.
  std::string command_line;
  bool check = true;     // false: purgatory verifies nothing
  bool hotplug = false;  // the kernel will rewrite the elfcorehdr: it gets room and is not verified
  bool efi = true;       // false: the new kernel is not told of EFI
  // Physical bounds for segments, both included.
  uint64_t mem_min = 0;
  uint64_t mem_max = UINT64_MAX;
  // For purgatory's messages; absent: the one that is a console of the new kernel, if any.
  std::optional<uint16_t> serial_port;
  int32_t reset_seconds = 0;  // see PurgatoryOptions
};

struct PlannedSegment {
  // "kernel", "initrd", "boot parameters" (with the command line), "purgatory", "elfcorehdr",
  // "backup".
  std::string name;
  ByteView bytes;
  PhysRange memory;  // whole pages
};

struct SegmentPlan {
  uint64_t entry = 0;  // of purgatory, physical
  // Ascending. Their bytes belong to `buffers`, or to the kernel and the initrd of the request,
  // which must outlive the plan.
  std::vector<PlannedSegment> segments;
  std::string command_line;            // the final one
  std::vector<PhysRange> dump_ranges;  // memory that the elfcorehdr lists; crash kernel only
  std::vector<E820Entry> memory_map;   // what the new kernel is told
  // What could not be had and was left out, whole sentences.
  std::vector<std::string> notes;
  std::deque<ByteBuffer> buffers;
};

// Reads /proc and /sys below `root`. Fails when something does not fit or breaks a rule of the
// kernel's; then nothing has happened to it.
Result<SegmentPlan> BuildSegments(const SegmentRequest& request, const RootDir& root);

}  // namespace kdumpkit
