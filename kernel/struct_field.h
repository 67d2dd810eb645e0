// SPDX-License-Identifier: GPL-2.0-or-later
// A member of one of the dead kernel's structures: where it is by BTF, and its value.
#pragma once

#include "kernel/btf.h"
#include "kernel/crashed_kernel.h"

namespace kdumpkit {

struct StructField {
  uint64_t offset = 0;  // in the structure, bytes
  uint64_t size = 0;    // bytes
  uint32_t type = 0;    // number of its type
};

// `path` names members within members, not through pointers: "desc_ring.descs". kUnsupported, with
// the name of what is missing, when there is none, or it is a bitfield.
Result<StructField> FindField(const Btf& types, std::string_view type, std::string_view path);

// The member of the structure at `object`, an unsigned number of 1, 2, 4 or 8 bytes or a pointer.
Result<uint64_t> ReadField(const CrashedKernel& kernel, KernelMemory& memory, VirtAddr object,
                           const StructField& field);

}  // namespace kdumpkit
