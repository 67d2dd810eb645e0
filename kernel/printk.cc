// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/printk.h"

namespace kdumpkit {

Result<LogStats> ReadKernelLog(const CrashedKernel& kernel, const LogOptions& options,
                               const LogSink& sink) {
  const Vmcoreinfo& info = kernel.info();
  if (info.Symbol("prb")) return ReadLocklessLog(kernel, options, sink);
  if (info.Symbol("log_first_idx")) return ReadRecordLog(kernel, options, sink);
  if (info.Symbol("log_end")) return ReadTextLog(kernel, options, sink);
  return Unsupported(
      "VMCOREINFO has no SYMBOL(prb), SYMBOL(log_first_idx) or SYMBOL(log_end): the kernel has no "
      "log (CONFIG_PRINTK is off) or does not say where");
}

}  // namespace kdumpkit
