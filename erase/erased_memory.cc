// SPDX-License-Identifier: GPL-2.0-or-later
#include "erase/erased_memory.h"

namespace kdumpkit {
namespace {

class ErasingReader final : public MemoryReader {
 public:
  ErasingReader(std::unique_ptr<MemoryReader> inner, const ErasePlan& plan)
      : inner_(std::move(inner)), plan_(plan) {}

  Result<ByteView> View(PhysAddr address, size_t size) override {
    ByteView view = TRY(inner_->View(address, size));
    if (!plan_.Touches({address, view.size()})) return view;
    patched_.assign(view.begin(), view.end());
    plan_.Apply(address, patched_);
    return ByteView(patched_);
  }

 private:
  std::unique_ptr<MemoryReader> inner_;
  const ErasePlan& plan_;
  ByteBuffer patched_;
};

}  // namespace

std::unique_ptr<MemoryReader> ErasedMemory::NewReader() const {
  return std::make_unique<ErasingReader>(inner_.NewReader(), plan_);
}

}  // namespace kdumpkit
