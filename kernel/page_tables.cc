// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/page_tables.h"

#include <algorithm>

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

void VisitMappings(const Paging& paging, ByteOrder order, MemoryReader& reader, VirtAddr address,
                   uint64_t size, const std::function<void(const PhysRange&)>& visit) {
  uint64_t smallest = uint64_t{1} << paging.levels.back().shift;
  for (uint64_t done = 0; done < size;) {
    VirtAddr at = address + done;
    Result<MappedPage> page = FindMappedPage(paging, order, reader, at);
    uint64_t rest = page ? page->size - (at - page->base) : smallest - at.value % smallest;
    rest = std::min(rest, size - done);
    if (page) visit({page->Translate(at), rest});
    done += rest;
  }
}

namespace {

class TableWalk {
 public:
  TableWalk(const Paging& paging, ByteOrder order, MemoryReader& reader,
            const std::function<void(const PhysRange&)>& visit)
      : paging_(paging), order_(order), reader_(reader), visit_(visit) {}

  void Run() { Table(paging_.root, 0); }

 private:
  // One of the last level maps 2 MiB on x86_64, so that these go for 32 TiB in pages of 4 KiB; one
  // that is read leads to 1 GiB at least.
  static constexpr uint64_t kMaxTables = uint64_t{1} << 24;
  static constexpr uint64_t kMaxRead = uint64_t{1} << 17;

  void Table(PhysAddr table, size_t depth) {
    uint64_t size = paging_.entry_size << paging_.levels[depth].index_bits;
    if (++visited_ > kMaxTables) return;
    visit_({table, size});
    if (depth + 1 == paging_.levels.size() || ++read_ > kMaxRead) return;
    Result<ByteView> view = reader_.View(table, static_cast<size_t>(size));
    // The view ends with the next call of the reader.
    if (view && view->size() == size) Entries(ByteBuffer(view->begin(), view->end()), depth);
  }

  void Entries(const ByteBuffer& table, size_t depth) {
    const TableLevel& level = paging_.levels[depth];
    uint64_t last = 0;
    // The lower half of the top table is the user's.
    size_t at = depth == 0 && paging_.sign_extended ? table.size() / 2 : 0;
    for (; at < table.size(); at += paging_.entry_size) {
      const std::byte* data = table.data() + at;
      uint64_t entry = paging_.entry_size == 4 ? LoadUnchecked<uint32_t>(data, order_)
                                               : LoadUnchecked<uint64_t>(data, order_);
      if ((entry & paging_.present_mask) == 0 || entry == last) continue;
      last = entry;
      if (level.may_map && (entry & paging_.large_mask) != 0) continue;
      Table(PhysAddr(entry & paging_.address_mask), depth + 1);
    }
  }

  const Paging& paging_;
  ByteOrder order_;
  MemoryReader& reader_;
  const std::function<void(const PhysRange&)>& visit_;
  uint64_t visited_ = 0;
  uint64_t read_ = 0;
};

}  // namespace

void VisitTables(const Paging& paging, ByteOrder order, MemoryReader& reader,
                 const std::function<void(const PhysRange&)>& visit) {
  TableWalk(paging, order, reader, visit).Run();
}

}  // namespace kdumpkit
