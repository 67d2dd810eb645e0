// SPDX-License-Identifier: GPL-2.0-or-later
// One whole run: opens the vmcore, selects pages, writes the dump or the log.
#pragma once

#include <atomic>

#include "filter/report.h"

namespace kdumpkit {

// Progress goes to standard error as options.message_level says; nothing else is printed. An error
// means that there is no dump (and no file of ours). `stop` may be set by a signal handler: the
// dump then ends early, is marked incomplete and stays under its "-incomplete" name.
Result<DumpReport> CreateDump(const FilterOptions& options, const std::atomic<bool>& stop);

// --dump-dmesg. Returns warnings (a damaged ring), after the text that could be read was written.
Result<std::vector<std::string>> DumpKernelLog(const FilterOptions& options);

// -g: VMCOREINFO as far as the vmlinux of -x has it.
Status WriteVmcoreinfo(const FilterOptions& options);

}  // namespace kdumpkit
