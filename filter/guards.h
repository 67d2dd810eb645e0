// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps the pages that a dump cannot do without, whatever their struct pages say.
#pragma once

#include "filter/select.h"
#include "kernel/needed_pages.h"
#include "kernel/page_layout.h"

namespace kdumpkit {

// After a scan: sets the bits of needed pages that were cleared, and counts them in `selection`.
// Failed memory stays out: to read it may end the capture.
void GuardNeededPages(const CrashedKernel& kernel, const PageLayout& layout, const MemoryMap& map,
                      const DumpLevel& level, const NeededPages& needed, Selection& selection);

}  // namespace kdumpkit
