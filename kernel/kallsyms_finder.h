// SPDX-License-Identifier: GPL-2.0-or-later
// Where the tables of kallsyms are. Used by kernel/kallsyms.cc only.
#pragma once

#include "kernel/kallsyms.h"

namespace kdumpkit {

class KallsymsFinder {
 public:
  // `kernel` must outlive this object.
  explicit KallsymsFinder(const CrashedKernel& kernel)
      : kernel_(kernel),
        memory_(kernel.NewMemory()),
        word_(static_cast<uint64_t>(kernel.machine().word_size)) {}

  // Through SYMBOL(kallsyms_…) of VMCOREINFO.
  Result<Kallsyms> ByKeys(VirtAddr stext);
  // Without them: finds the token table in the kernel image by its shape, and the other tables by
  // their places before it, as kernels before 6.0 have them.
  Result<Kallsyms> BySignature(VirtAddr stext);

 private:
  Kallsyms NewTables() const;
  Result<ByteBuffer> Bytes(VirtAddr address, uint64_t size);
  Status ReadTokens(Kallsyms& tables, VirtAddr table, VirtAddr index);
  Status ReadAddresses(Kallsyms& tables, VirtAddr at, bool words);

  Result<VirtAddr> SecondToken(VirtAddr zero_token);
  Result<VirtAddr> TokenIndex(VirtAddr token_table);
  Result<std::vector<uint32_t>> Markers(VirtAddr token_table);
  Result<Kallsyms> BeforeTokens(VirtAddr stext, VirtAddr token_table);
  Result<Kallsyms> TryNames(VirtAddr stext, Kallsyms tables, VirtAddr names);

  const CrashedKernel& kernel_;
  std::unique_ptr<KernelMemory> memory_;
  uint64_t word_;  // bytes
};

}  // namespace kdumpkit
