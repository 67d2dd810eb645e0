// SPDX-License-Identifier: GPL-2.0-or-later
// Gives a FakeKernel kallsyms and BTF that lead to counters of pages (vm_node_stat).
#pragma once

#include "tests/support/fake_kernel.h"

namespace kdumpkit {

enum class FakeCounter { kSlab, kAnonymous, kFile };

class FakeCounters {
 public:
  // Takes the kernel's scratch, and sets keys of its VMCOREINFO. `kernel` must outlive this object.
  explicit FakeCounters(FakeKernel& kernel);

  void Set(FakeCounter counter, uint64_t pages);
  void Clear();

 private:
  FakeKernel& kernel_;
};

}  // namespace kdumpkit
