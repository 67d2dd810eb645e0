// SPDX-License-Identifier: GPL-2.0-or-later
// An x86_64 kernel as it lies in memory before it runs: what to load where, and how to enter it.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "kexec/kernel_file.h"

namespace kdumpkit {

struct KernelBlock {
  // Part of the block that is loaded; what `bytes` do not fill is zero.
  struct Piece {
    uint64_t offset = 0;  // in the block; whole pages
    ByteView bytes;
    uint64_t memory_size = 0;
  };
  uint64_t size = 0;  // memory that the kernel uses until it manages memory by itself
  // Bounds for the address of the block.
  uint64_t alignment = 1;
  uint64_t min_address = 0;
  uint64_t end_address = UINT64_MAX;
  uint64_t entry_offset = 0;    // of the 64-bit entry
  std::vector<Piece> pieces;    // ascending, no two in one page
  ByteBuffer setup_header;      // see BootParamsInput
  uint64_t command_line_limit;  // characters
  bool takes_efi = false;       // takes EFI's state over from another kernel
  bool finds_rsdp = false;      // certainly knows boot_params' field for ACPI's root pointer
  bool five_levels = true;      // can be entered with five levels of page tables
};

// A bzImage is one piece. An ELF file has one a program header, or one in all where they share a
// page or are more than `max_pieces`; it is then put together in a new element of `buffers`. Pieces
// point into kernel.contents or `buffers`.
Result<KernelBlock> MakeKernelBlock(const KernelFile& kernel, size_t max_pieces,
                                    std::deque<ByteBuffer>& buffers);

}  // namespace kdumpkit
