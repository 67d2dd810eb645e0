// SPDX-License-Identifier: GPL-2.0-or-later
// Memory with data erased from it: what a dump is made of, whatever its format.
#pragma once

#include "base/memory_source.h"
#include "erase/plan.h"

namespace kdumpkit {

class ErasedMemory final : public MemorySource {
 public:
  // `inner` must outlive this object.
  ErasedMemory(const MemorySource& inner, ErasePlan plan) : inner_(inner), plan_(std::move(plan)) {}

  const ErasePlan& plan() const { return plan_; }
  std::span<const PhysRange> ranges() const override { return inner_.ranges(); }
  // Views that have nothing erased in them are those of the inner reader, not copied.
  std::unique_ptr<MemoryReader> NewReader() const override;

 private:
  const MemorySource& inner_;
  ErasePlan plan_;
};

}  // namespace kdumpkit
