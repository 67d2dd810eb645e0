// SPDX-License-Identifier: GPL-2.0-or-later
// The dead kernel's log, from the lockless printk ring (5.10 and later). Needs no memory map.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "kernel/crashed_kernel.h"

namespace kdumpkit {

struct LogStats {
  uint64_t records = 0;
  uint64_t skipped = 0;  // reserved, reusable, corrupt or unreadable descriptors
  // What was wrong with the ring first, empty when nothing: the text that could be read was still
  // given. Reserved and reusable descriptors are no problem: every ring has some.
  std::string problem;
};

// Calls `write` with each formatted record ("[    1.234567] text\n"), oldest first. The bytes are
// those that vmcore-dmesg prints: no caller id, lines of one record after its first without a
// prefix, and "\x1b" for what is neither printable ASCII nor white space.
// An error of `write` ends the walk and is returned.
Result<LogStats> ReadKernelLog(const CrashedKernel& kernel,
                               const std::function<Status(std::string_view)>& write);

}  // namespace kdumpkit
