// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/paged_memory.h"

#include <algorithm>

namespace kdumpkit {

PagedMemory::PagedMemory(const Paging& paging, const MachineId& machine, const MemorySource& source)
    : paging_(&paging),
      source_(&source),
      machine_(machine),
      page_size_(uint64_t{1} << paging.levels.back().shift),
      reader_(source.NewReader()) {}

Result<MappedPage> PagedMemory::Find(VirtAddr address) {
  for (const MappedPage& page : cache_) {
    if (page.Contains(address)) return page;
  }
  MappedPage page = TRY(FindMappedPage(*paging_, machine_.order, *reader_, address));
  cache_[next_slot_] = page;
  next_slot_ = (next_slot_ + 1) % kCached;
  return page;
}

Result<PhysAddr> PagedMemory::Translate(VirtAddr address) {
  return TRY(Find(address)).Translate(address);
}

size_t PagedMemory::ContiguousBytes(VirtAddr address, const MappedPage& page, size_t size) {
  PhysAddr start = page.Translate(address);
  uint64_t have = page.size - (address - page.base);
  while (have < size) {
    Result<MappedPage> next = Find(address + have);
    if (!next || next->Translate(address + have) != start + have) break;
    have += next->size;
  }
  return static_cast<size_t>(std::min<uint64_t>(have, size));
}

// A view must not run from one range of memory into the void behind it, which would read as zero.
// The page in which the range ends still counts as a whole.
uint64_t PagedMemory::BytesInSource(PhysAddr address) const {
  auto ranges = source_->ranges();
  auto after =
      std::upper_bound(ranges.begin(), ranges.end(), address,
                       [](PhysAddr value, const PhysRange& range) { return value < range.base; });
  uint64_t last = address.value;
  if (after != ranges.begin() && std::prev(after)->Contains(address)) {
    last = std::prev(after)->end().value - 1;
  }
  return (last | (page_size_ - 1)) - address.value + 1;
}

Result<ByteView> PagedMemory::View(VirtAddr address, size_t size) {
  CHECK(size > 0);
  MappedPage page = TRY(Find(address));
  PhysAddr start = page.Translate(address);
  size = ContiguousBytes(address, page, std::min(size, MemoryReader::kMaxView));
  size = static_cast<size_t>(std::min<uint64_t>(size, BytesInSource(start)));
  Result<ByteView> view = reader_->View(start, size);
  if (!view) return std::move(view.error()).In(fmt::format("kernel address 0x{:x}", address.value));
  return view;
}

Status PagedMemory::Read(VirtAddr address, ByteSpan buffer) {
  while (!buffer.empty()) {
    ByteView view = TRY(View(address, buffer.size()));
    std::copy(view.begin(), view.end(), buffer.begin());
    buffer = buffer.subspan(view.size());
    address = address + view.size();
  }
  return {};
}

Result<uint32_t> PagedMemory::ReadU32(VirtAddr address) {
  std::array<std::byte, 4> bytes;
  TRY(Read(address, bytes));
  return LoadUnchecked<uint32_t>(bytes.data(), machine_.order);
}

Result<uint64_t> PagedMemory::ReadWord(VirtAddr address) {
  if (machine_.word_size == 4) return uint64_t{TRY(ReadU32(address))};
  std::array<std::byte, 8> bytes;
  TRY(Read(address, bytes));
  return LoadUnchecked<uint64_t>(bytes.data(), machine_.order);
}

}  // namespace kdumpkit
