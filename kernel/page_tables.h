// SPDX-License-Identifier: GPL-2.0-or-later
// Page tables as data: how many levels, which bits mean what. One walker serves every machine
// whose tables are of this shape.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/memory_source.h"
#include "base/ranges.h"

namespace kdumpkit {

struct TableLevel {
  std::string_view name;  // as the kernel calls its entries: "PGD", "PMD", …
  int shift = 0;          // the index begins at this bit of the virtual address
  int index_bits = 0;     // the table has 2^index_bits entries
  bool may_map = false;   // an entry with the large bit maps 2^shift bytes itself
};

struct Paging {
  PhysAddr root;                   // the table of levels[0]
  std::vector<TableLevel> levels;  // the last one maps pages of 2^shift bytes
  size_t entry_size = 8;           // bytes, 4 or 8
  int address_bits = 64;           // of a virtual address
  bool sign_extended = true;       // the bits above repeat the highest one; else they are zero
  uint64_t present_mask = 0;       // an entry without any of these bits leads nowhere
  uint64_t large_mask = 0;         // the large bit
  uint64_t address_mask = 0;       // the physical address in an entry
};

// A run of virtual memory that one entry maps.
struct MappedPage {
  VirtAddr base;
  PhysAddr target;    // of `base`
  uint64_t size = 0;  // bytes; 0 for no page at all

  bool Contains(VirtAddr address) const { return address.value - base.value < size; }
  PhysAddr Translate(VirtAddr address) const { return target + (address - base); }
};

// One level of a walk: what was read, and where.
struct TableStep {
  std::string_view level;  // TableLevel::name
  PhysAddr at;             // of the entry
  uint64_t entry = 0;
};

// The page that maps `address`. The entries on the way are appended to `steps`, also when it ends
// without a page; null: nobody wants them. An error names the address, the level and the entry:
// kMalformed when the entry is not present, else what `reader` says.
Result<MappedPage> FindMappedPage(const Paging& paging, ByteOrder order, MemoryReader& reader,
                                  VirtAddr address, std::vector<TableStep>* steps = nullptr);

// The memory behind [address, address + size): a call for each page that is mapped; what is not
// mapped, or cannot be looked up, is passed over.
void VisitMappings(const Paging& paging, ByteOrder order, MemoryReader& reader, VirtAddr address,
                   uint64_t size, const std::function<void(const PhysRange&)>& visit);

// The tables themselves that are reached through the kernel's half of the top one. Those of the
// last level are not read. A table that its neighbour leads to as well is passed over, and after
// so many tables that no machine has them it ends: no contents can make it endless.
void VisitTables(const Paging& paging, ByteOrder order, MemoryReader& reader,
                 const std::function<void(const PhysRange&)>& visit);

}  // namespace kdumpkit
