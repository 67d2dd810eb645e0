// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/identity_kernel.h"

#include <algorithm>

namespace kdumpkit {
namespace {

class IdentityMemory : public KernelMemory {
 public:
  IdentityMemory(const MemorySource& source, MachineId machine, uint64_t boundary)
      : reader_(source.NewReader()), machine_(machine), boundary_(boundary) {}

  Result<PhysAddr> Translate(VirtAddr address) override { return PhysAddr(address.value); }
  Status Read(VirtAddr address, ByteSpan buffer) override {
    return ReadPhysical(*reader_, PhysAddr(address.value), buffer);
  }
  Result<ByteView> View(VirtAddr address, size_t size) override {
    uint64_t whole = boundary_ - address.value % boundary_;
    return reader_->View(PhysAddr(address.value), std::min<uint64_t>(size, whole));
  }
  Result<uint32_t> ReadU32(VirtAddr address) override {
    std::byte bytes[4];
    TRY(Read(address, bytes));
    return LoadUnchecked<uint32_t>(bytes, machine_.order);
  }
  Result<uint64_t> ReadWord(VirtAddr address) override {
    if (machine_.word_size == 4) return uint64_t{TRY(ReadU32(address))};
    std::byte bytes[8];
    TRY(Read(address, bytes));
    return LoadUnchecked<uint64_t>(bytes, machine_.order);
  }

 private:
  std::unique_ptr<MemoryReader> reader_;
  MachineId machine_;
  uint64_t boundary_;
};

}  // namespace

IdentityKernel::IdentityKernel(const MemorySource& source, std::string_view vmcoreinfo_text,
                               MachineId machine, uint64_t view_boundary)
    : source_(source),
      info_(std::move(Vmcoreinfo::Parse(vmcoreinfo_text)).value()),
      machine_(machine),
      view_boundary_(view_boundary) {}

std::unique_ptr<KernelMemory> IdentityKernel::NewMemory() const {
  return std::make_unique<IdentityMemory>(source_, machine_, view_boundary_);
}

}  // namespace kdumpkit
