// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/flat_kernel.h"

#include <algorithm>
#include <cstdlib>

namespace kdumpkit {
namespace {

class FlatMemory final : public KernelMemory {
 public:
  FlatMemory(const MemorySource& source, MachineId machine)
      : reader_(source.NewReader()), machine_(machine) {}

  Result<PhysAddr> Translate(VirtAddr address) override { return PhysAddr(address.value); }
  Status Read(VirtAddr address, ByteSpan buffer) override {
    return ReadPhysical(*reader_, PhysAddr(address.value), buffer);
  }
  Result<ByteView> View(VirtAddr address, size_t size) override {
    return reader_->View(PhysAddr(address.value), std::min(size, MemoryReader::kMaxView));
  }
  Result<uint32_t> ReadU32(VirtAddr address) override {
    return LoadUnchecked<uint32_t>(TRY(View(address, 4)).data(), machine_.order);
  }
  Result<uint64_t> ReadWord(VirtAddr address) override {
    if (machine_.word_size == 4) return uint64_t{TRY(ReadU32(address))};
    return LoadUnchecked<uint64_t>(TRY(View(address, 8)).data(), machine_.order);
  }

 private:
  std::unique_ptr<MemoryReader> reader_;
  MachineId machine_;
};

Vmcoreinfo MustParse(std::string_view text) {
  Result<Vmcoreinfo> info = Vmcoreinfo::Parse(text);
  CHECK(info.has_value());
  return std::move(*info);
}

}  // namespace

FlatKernel::FlatKernel(const MemorySource& source, MachineId machine,
                       std::string_view vmcoreinfo_text)
    : source_(source), machine_(machine), info_(MustParse(vmcoreinfo_text)) {}

const Arch& FlatKernel::arch() const { std::abort(); }

std::unique_ptr<KernelMemory> FlatKernel::NewMemory() const {
  return std::make_unique<FlatMemory>(source_, machine_);
}

}  // namespace kdumpkit
