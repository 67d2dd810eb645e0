// SPDX-License-Identifier: GPL-2.0-or-later
// Looks for a pattern of bytes in the dead kernel's image, for tables that no key leads to.
#pragma once

#include <functional>

#include "kernel/crashed_kernel.h"

namespace kdumpkit {

// Calls `visit` with the address of each place from SYMBOL(_stext) on that has the pattern (at most
// 64 bytes), in rising order, until it returns true. What is not mapped is passed over. False when
// no visit returned true. The search is bounded: it ends at a hole of 16 MiB, or 256 MiB behind
// _stext.
bool ScanImage(const CrashedKernel& kernel, ByteView pattern,
               const std::function<bool(VirtAddr)>& visit);

}  // namespace kdumpkit
