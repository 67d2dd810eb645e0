// SPDX-License-Identifier: GPL-2.0-or-later
// -E: which memory an ELF core has, at which addresses, and which pages of it are in the file.
#pragma once

#include <optional>
#include <vector>

#include "dumpfile/elf_writer.h"
#include "filter/input.h"
#include "filter/page_bitmap.h"

namespace kdumpkit {

// Physical memory that one virtual address stands for; segments are cut from these.
struct CoreMapping {
  std::optional<VirtAddr> vaddr;
  PhysRange memory;

  bool operator==(const CoreMapping&) const = default;
};

// Those of the input, if it is an ELF core that has virtual addresses; else the kernel's image and
// the direct map of all memory, as the dead kernel's page tables have them. Without an address for
// what cannot be told. May overlap, and together are all memory of the input.
std::vector<CoreMapping> FindMappings(const Input& input, const CrashedKernel* kernel);

// The segments of a core that has the pages in `kept`. Each ends where the next run of kept pages
// begins, so that what is left out is there as memory without bytes in the file.
std::vector<ElfSegment> CutSegments(std::span<const CoreMapping> mappings, const PageBitmap& kept,
                                    int page_shift);

// Where the pages stand in the file. What is left out between two runs is a hole of its own size if
// it is less than 4 MiB: makedumpfile (1.7.2 to 1.7.9) maps so much of a core at once, and takes it
// for memory without a gap.
std::vector<ElfRun> PlacePages(const PageBitmap& kept, int page_shift);

}  // namespace kdumpkit
