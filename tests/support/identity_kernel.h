// SPDX-License-Identifier: GPL-2.0-or-later
// A dead kernel without page tables, for tests: virtual addresses are physical ones.
#pragma once

#include <string_view>

#include "kernel/arch.h"
#include "kernel/crashed_kernel.h"

namespace kdumpkit {

class IdentityKernel : public CrashedKernel {
 public:
  // `source` must outlive the kernel. Views never cross a multiple of `view_boundary`, as if that
  // were the size of a mapping. Aborts on a bad VMCOREINFO text.
  IdentityKernel(const MemorySource& source, std::string_view vmcoreinfo_text, MachineId machine,
                 uint64_t view_boundary = 4096);

  const Vmcoreinfo& info() const override { return info_; }
  const Arch& arch() const override { return *FindArch(machine_.elf_machine); }
  const MachineId& machine() const override { return machine_; }
  const MemorySource& source() const override { return source_; }
  uint64_t page_size() const override { return 4096; }
  int page_shift() const override { return 12; }
  uint64_t phys_base() const override { return 0; }
  std::unique_ptr<KernelMemory> NewMemory() const override;

 private:
  const MemorySource& source_;
  Vmcoreinfo info_;
  MachineId machine_;
  uint64_t view_boundary_;
};

}  // namespace kdumpkit
