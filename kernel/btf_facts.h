// SPDX-License-Identifier: GPL-2.0-or-later
// Keys of VMCOREINFO, answered from BTF.
#pragma once

#include <optional>
#include <string_view>

#include "kernel/btf.h"

namespace kdumpkit {

// Whether a key is about the memory map or pages, so that BTF or the symbols may answer it, too.
bool IsPageKey(std::string_view key);
// SIZE, OFFSET, LENGTH or NUMBER; for a NUMBER the bits of an int64_t. Absent when BTF does not
// have it, or a member does not begin at a whole byte.
std::optional<uint64_t> FactFromBtf(const Btf& btf, std::string_view key);
// What BTF does not have because it was a macro, of kernels whose BTF shows that they are of that
// time.
std::optional<uint64_t> FactFromHistory(const Btf& btf, std::string_view key);

}  // namespace kdumpkit
