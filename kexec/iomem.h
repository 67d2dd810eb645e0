// SPDX-License-Identifier: GPL-2.0-or-later
// /proc/iomem: what the kernel knows of the physical address space, as a tree of named ranges.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/ranges.h"

namespace kdumpkit {

struct IomemEntry {
  PhysRange range;
  int level = 0;     // of nesting: 0 is the top, a child is one deeper and lies in its parent
  std::string name;  // "System RAM"; empty when the line has none
};

// In the order of the file: children follow their parent.
using Iomem = std::vector<IomemEntry>;

// Lines "start-end : name" (hexadecimal, ends inclusive, two spaces of indentation a level). A list
// without names, as in crash_cma_ranges, is read too. Lines of another form are passed over.
Iomem ParseIomem(std::string_view text);

// How a range looks to a reader without CAP_SYS_ADMIN: all zeros.
bool IsHidden(const PhysRange& range);

// Reads /proc/iomem.
Result<Iomem> ReadIomem(const RootDir& root);
// The same for who needs the addresses: fails when it lists nothing or is hidden, too.
Result<Iomem> RequireIomem(const RootDir& root);

// The ranges of that name at every level, in the order of the file.
std::vector<PhysRange> RangesNamed(std::span<const IomemEntry> iomem, std::string_view name);

}  // namespace kdumpkit
