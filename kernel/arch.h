// SPDX-License-Identifier: GPL-2.0-or-later
// What differs from machine to machine. Every machine is compiled into every build: one binary
// reads the dump of any of them, whatever it runs on.
//
// To add a machine:
//   1. kernel/arch/NAME.cc: a subclass of Arch and `const Arch& NameArch()`, declared below.
//   2. Describe its page tables as a Paging (kernel/page_tables.h). Byte order and word size come
//      from MachineId; never use those of the host.
//   3. Say from which VMCOREINFO keys root and phys_base follow, and enter each key in
//      kernel/vmcoreinfo_keys.h. A missing key is a kUnsupported error that names it.
//   4. Add it to FindArch (kernel/arch.cc) and to kernel/meson.build.
//   5. tests/kernel/NAME_test.cc: page tables as text, one entry a line, with the expected
//      translation; each number of levels and page size; a missing key.
//   6. Mind what else is chosen by machine: the `kexec` room, tests/vm, ARCHITECTURE.md.
#pragma once

#include <string_view>

#include "kernel/crashed_kernel.h"
#include "kernel/page_tables.h"

namespace kdumpkit {

// The SPARSEMEM geometry of kernels that do not export it.
struct SectionBits {
  int section_size = 0;  // log2 of the bytes of a section
  int max_physical = 0;  // log2 of the highest physical address + 1
};

class Arch {
 public:
  virtual ~Arch() = default;

  virtual uint16_t elf_machine() const = 0;
  virtual std::string_view name() const = 0;  // as `uname -m` gives it
  virtual Result<Paging> FindPaging(const Vmcoreinfo& info, const MachineId& machine) const = 0;
  // See CrashedKernel::phys_base().
  virtual Result<uint64_t> FindPhysBase(const Vmcoreinfo& info, const MachineId& machine) const = 0;
  // What phys_base is when `physical` is mapped at `address`; nothing when that is not in the
  // image.
  virtual std::optional<uint64_t> PhysBaseOf(VirtAddr address, PhysAddr physical) const = 0;
  virtual SectionBits DefaultSectionBits(const Vmcoreinfo& info) const = 0;
};

// Null when the machine is not supported.
const Arch* FindArch(uint16_t elf_machine);

const Arch& X86_64Arch();

}  // namespace kdumpkit
