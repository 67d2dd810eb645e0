#include "kernel/printk.h"
namespace kdumpkit { Result<LogStats> ReadKernelLog(const CrashedKernel&, const std::function<Status(std::string_view)>&) { return Unsupported("stub"); } }
