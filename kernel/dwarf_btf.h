// SPDX-License-Identifier: GPL-2.0-or-later
// Types and variables of debug information, translated into BTF.
#pragma once

#include "elf/dwarf_info.h"
#include "kernel/btf.h"

namespace kdumpkit {

// Without `base`, a blob of all types with a name and of all variables. With it, split BTF of the
// variables, and of types only what `base` has not (or has several of, so that a name does not say
// which one). A variable whose name several files define, not all as global, has none here.
// Functions are void.
ByteBuffer BtfFromDwarf(const DwarfInfo& dwarf, const Btf* base, ByteOrder order);

}  // namespace kdumpkit
