// SPDX-License-Identifier: GPL-2.0-or-later
// Where the running kernel (x86_64) has itself and all memory in its address space. Both move from
// boot to boot.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/ranges.h"
#include "kexec/iomem.h"

namespace kdumpkit {

struct KernelMapping {
  VirtAddr text;        // of _text
  PhysRange image;      // from _text to _end
  VirtAddr direct_map;  // of physical address 0

  // The direct map of a kernel with five levels of page tables begins below that of any with four
  // (Linux Documentation/arch/x86/x86_64/mm.rst).
  bool FiveLevels() const { return direct_map < VirtAddr(0xffff800000000000); }
};

// From the headers of /proc/kcore; without that file (CONFIG_PROC_KCORE is off, or it is not
// permitted) from /proc/kallsyms, where the direct map is not found: the default is taken and a
// sentence added to `notes` when it may be wrong. Fails when neither serves.
Result<KernelMapping> FindKernelMapping(const RootDir& root, std::span<const IomemEntry> iomem,
                                        std::vector<std::string>& notes);

}  // namespace kdumpkit
