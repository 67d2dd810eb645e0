// SPDX-License-Identifier: GPL-2.0-or-later
// A kernel as an ELF file (vmlinux), which kexec_load takes and kexec_file_load on x86_64 does not.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace kdumpkit {

struct ElfKernel {
  // What a PT_LOAD program header puts into memory. Bytes beyond file_size are zero.
  struct Piece {
    uint64_t file_offset = 0;
    uint64_t file_size = 0;    // at most memory_size
    uint64_t paddr = 0;        // physical address
    uint64_t memory_size = 0;  // not 0

    uint64_t end() const { return paddr + memory_size; }
  };
  uint16_t machine = 0;       // e_machine: 62 is x86_64
  uint64_t entry = 0;         // physical address, inside a piece
  std::vector<Piece> pieces;  // ascending by paddr, disjoint; at least one
};

// `contents` is the whole file. Whatever the headers state is checked: the pieces lie in the file,
// do not wrap around and do not overlap. An error tells the offset in the file.
Result<ElfKernel> ParseElfKernel(ByteView contents);

}  // namespace kdumpkit
