// SPDX-License-Identifier: GPL-2.0-or-later
// Where the dead kernel keeps its BTF.
#pragma once

#include "kernel/btf.h"
#include "kernel/kallsyms.h"

namespace kdumpkit {

// A copy of the kernel's own BTF (some megabytes): that between __start_BTF and __stop_BTF, where
// `symbols` (may be null) has them, else the first blob in the kernel image that is sound and has
// struct page. Fails when there is none (CONFIG_DEBUG_INFO_BTF is off).
Result<ByteBuffer> ReadKernelBtf(const CrashedKernel& kernel, const Kallsyms* symbols);

}  // namespace kdumpkit
