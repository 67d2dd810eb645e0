// SPDX-License-Identifier: GPL-2.0-or-later
// The dead kernel's log, in each of the three ways that kernels kept it. Needs no memory map.
#pragma once

#include "kernel/crashed_kernel.h"
#include "kernel/log_record.h"

namespace kdumpkit {

// Calls `sink` with each record, oldest first. An error of `sink` ends the walk and is returned;
// damage does not, as long as something can be read (LogStats::problem). kUnsupported when
// VMCOREINFO lacks a key; the error names it.
Result<LogStats> ReadKernelLog(const CrashedKernel& kernel, const LogOptions& options,
                               const LogSink& sink);

// The three ways: since Linux 5.10 the lockless ring (896fbe20b4e2), since 3.5 a ring of records
// of any length (7ff9554bb578), before that a ring of text.
Result<LogStats> ReadLocklessLog(const CrashedKernel& kernel, const LogOptions& options,
                                 const LogSink& sink);
Result<LogStats> ReadRecordLog(const CrashedKernel& kernel, const LogOptions& options,
                               const LogSink& sink);
Result<LogStats> ReadTextLog(const CrashedKernel& kernel, const LogOptions& options,
                             const LogSink& sink);

}  // namespace kdumpkit
