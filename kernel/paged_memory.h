// SPDX-License-Identifier: GPL-2.0-or-later
// KernelMemory over page tables.
#pragma once

#include <array>
#include <memory>

#include "kernel/crashed_kernel.h"
#include "kernel/page_tables.h"

namespace kdumpkit {

class PagedMemory final : public KernelMemory {
 public:
  // `paging` and `source` must outlive this object.
  PagedMemory(const Paging& paging, const MachineId& machine, const MemorySource& source);

  Result<PhysAddr> Translate(VirtAddr address) override;
  Status Read(VirtAddr address, ByteSpan buffer) override;
  Result<ByteView> View(VirtAddr address, size_t size) override;
  Result<uint32_t> ReadU32(VirtAddr address) override;
  Result<uint64_t> ReadWord(VirtAddr address) override;

 private:
  // Enough for a scan that goes through an array, its sections and the structures they lead to.
  static constexpr size_t kCached = 8;

  Result<MappedPage> Find(VirtAddr address);
  // How many bytes are mapped to adjacent physical memory, up to `size`.
  size_t ContiguousBytes(VirtAddr address, const MappedPage& page, size_t size);
  uint64_t BytesInSource(PhysAddr address) const;

  const Paging* paging_;
  const MemorySource* source_;
  MachineId machine_;
  uint64_t page_size_;
  std::unique_ptr<MemoryReader> reader_;
  std::array<MappedPage, kCached> cache_;
  size_t next_slot_ = 0;
};

}  // namespace kdumpkit
