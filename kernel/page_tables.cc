// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/page_tables.h"

namespace kdumpkit {
namespace {

constexpr uint64_t LowBits(int count) {
  return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
}

bool IsCanonical(const Paging& paging, VirtAddr address) {
  if (!paging.sign_extended) return (address.value & ~LowBits(paging.address_bits)) == 0;
  uint64_t above = address.value >> (paging.address_bits - 1);
  return above == 0 || above == LowBits(65 - paging.address_bits);
}

Result<uint64_t> ReadEntry(const Paging& paging, ByteOrder order, MemoryReader& reader,
                           PhysAddr at) {
  ByteView bytes = TRY(reader.View(at, paging.entry_size));
  if (paging.entry_size == 4) return LoadUnchecked<uint32_t>(bytes.data(), order);
  return LoadUnchecked<uint64_t>(bytes.data(), order);
}

MappedPage PageOf(const Paging& paging, const TableLevel& level, uint64_t entry, VirtAddr address) {
  uint64_t size = uint64_t{1} << level.shift;
  uint64_t inside = size - 1;
  // Low bits of a large entry are attributes (PAT on x86), never part of its address.
  return MappedPage{VirtAddr(address.value & ~inside),
                    PhysAddr(entry & paging.address_mask & ~inside), size};
}

}  // namespace

Result<MappedPage> FindMappedPage(const Paging& paging, ByteOrder order, MemoryReader& reader,
                                  VirtAddr address, std::vector<TableStep>* steps) {
  if (!IsCanonical(paging, address)) {
    return Malformed("kernel address 0x{:x} is not canonical", address.value);
  }
  PhysAddr table = paging.root;
  // One step a level: tables that point at themselves cannot make this walk longer.
  for (const TableLevel& level : paging.levels) {
    uint64_t index = (address.value >> level.shift) & LowBits(level.index_bits);
    PhysAddr at = table + index * paging.entry_size;
    Result<uint64_t> entry = ReadEntry(paging, order, reader, at);
    if (!entry) {
      return std::move(entry.error())
          .In(fmt::format("kernel address 0x{:x}: reading the {} entry at physical 0x{:x}",
                          address.value, level.name, at.value));
    }
    if (steps != nullptr) steps->push_back({level.name, at, *entry});
    if ((*entry & paging.present_mask) == 0) {
      return Malformed("kernel address 0x{:x}: {} entry 0x{:x} at physical 0x{:x} is not present",
                       address.value, level.name, *entry, at.value);
    }
    bool last = &level == &paging.levels.back();
    if (last || (level.may_map && (*entry & paging.large_mask) != 0)) {
      return PageOf(paging, level, *entry, address);
    }
    table = PhysAddr(*entry & paging.address_mask);
  }
  return Unsupported("page tables without levels");
}

}  // namespace kdumpkit
