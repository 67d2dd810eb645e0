// SPDX-License-Identifier: GPL-2.0-or-later
// What a new kernel is told about memory: the table that firmware calls E820.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/ranges.h"
#include "kexec/iomem.h"
#include "kexec/reservation.h"

namespace kdumpkit {

// Linux arch/x86/include/asm/e820/types.h.
enum class E820Type : uint32_t {
  kRam = 1,
  kReserved = 2,
  kAcpi = 3,
  kNvs = 4,
  kUnusable = 5,
  kPersistent = 7,
  kPersistentLegacy = 12,
  kSoftReserved = 0xefffffff,
};

struct E820Entry {
  PhysRange range;
  E820Type type = E820Type::kReserved;
  bool operator==(const E820Entry&) const = default;
};

// As the kernel spells it: "System RAM", "ACPI Tables".
std::string_view E820TypeName(E820Type type);

// For a kernel that takes the machine over: all that firmware reported, from /sys/firmware/memmap;
// from /proc/iomem where that is missing, or is incomplete because the running kernel added ranges
// of the EFI memory map to it (add_efi_memmap). Ascending. Fails on an entry that cannot be read.
Result<std::vector<E820Entry>> NormalMemoryMap(const RootDir& root,
                                               std::span<const IomemEntry> iomem);

// For a crash kernel: RAM is only what it may write to, which is the low memory, the reservation
// less `kept_out`, and what crashkernel=...,cma lends; and the ranges that are not RAM. Ascending.
std::vector<E820Entry> CrashMemoryMap(std::span<const IomemEntry> iomem,
                                      const CrashReservation& reservation,
                                      std::vector<PhysRange> kept_out);

// RAM below 640 KiB. A crash kernel cannot start its processors without some of it.
std::vector<PhysRange> LowRam(std::span<const IomemEntry> iomem);

// The ranges of one type, merged.
std::vector<PhysRange> RangesOfType(std::span<const E820Entry> map, E820Type type);

}  // namespace kdumpkit
