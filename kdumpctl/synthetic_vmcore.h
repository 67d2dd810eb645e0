// SPDX-License-Identifier: GPL-2.0-or-later
// The memory of a machine that never was, for "kdumpctl test --dry": small, but with all that
// kdump-filter goes by, so that it is classified, compressed and verified as any other.
//
// It is an x86_64 kernel, whatever this machine is: every kdump-filter reads every machine's dumps.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace kdumpkit {

inline constexpr uint64_t kSyntheticMemory = uint64_t{16} << 20;  // bytes

// An ELF core file as /proc/vmcore has it. `line` is the last one of its log, after the panic.
ByteBuffer SyntheticVmcore(std::string_view line);

}  // namespace kdumpkit
