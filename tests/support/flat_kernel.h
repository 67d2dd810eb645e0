// SPDX-License-Identifier: GPL-2.0-or-later
// A CrashedKernel without page tables: virtual addresses are physical ones.
#pragma once

#include <string_view>
#include <utility>

#include "kernel/crashed_kernel.h"

namespace kdumpkit {

class FlatKernel : public CrashedKernel {
 public:
  // `source` must outlive this object; the text must be one that Vmcoreinfo::Parse takes.
  FlatKernel(const MemorySource& source, MachineId machine, std::string_view vmcoreinfo_text);

  const Vmcoreinfo& info() const override { return info_; }
  const Arch& arch() const override;  // aborts: there is none
  const MachineId& machine() const override { return machine_; }
  const MemorySource& source() const override { return source_; }
  uint64_t page_size() const override { return 4096; }
  int page_shift() const override { return 12; }
  uint64_t phys_base() const override { return 0; }
  std::unique_ptr<KernelMemory> NewMemory() const override;

 private:
  const MemorySource& source_;
  MachineId machine_;
  Vmcoreinfo info_;
};

}  // namespace kdumpkit
