// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/crashed_kernel.h"

#include <bit>

#include "kernel/arch.h"
#include "kernel/paged_memory.h"

namespace kdumpkit {
namespace {

class OpenedKernel final : public CrashedKernel {
 public:
  OpenedKernel(const MemorySource& source, const MachineId& machine, const Arch& arch,
               Vmcoreinfo info, Paging paging, uint64_t phys_base,
               std::shared_ptr<const GivenVmlinux> vmlinux)
      : source_(&source),
        machine_(machine),
        arch_(&arch),
        info_(std::move(info)),
        paging_(std::move(paging)),
        phys_base_(phys_base),
        vmlinux_(std::move(vmlinux)) {}

  const Vmcoreinfo& info() const override { return info_; }
  const Arch& arch() const override { return *arch_; }
  const MachineId& machine() const override { return machine_; }
  const MemorySource& source() const override { return *source_; }
  const GivenVmlinux* vmlinux() const override { return vmlinux_.get(); }
  uint64_t page_size() const override { return uint64_t{1} << page_shift(); }
  int page_shift() const override { return paging_.levels.back().shift; }
  uint64_t phys_base() const override { return phys_base_; }
  std::unique_ptr<KernelMemory> NewMemory() const override {
    return std::make_unique<PagedMemory>(paging_, machine_, *source_);
  }

 private:
  const MemorySource* source_;
  MachineId machine_;
  const Arch* arch_;
  Vmcoreinfo info_;
  Paging paging_;
  uint64_t phys_base_;
  std::shared_ptr<const GivenVmlinux> vmlinux_;
};

Status CheckPageSize(const Vmcoreinfo& info, const Paging& paging) {
  std::optional<uint64_t> size = info.PageSize();
  if (!size) return Unsupported("VMCOREINFO has no PAGESIZE");
  if (*size != uint64_t{1} << paging.levels.back().shift) {
    return Unsupported("VMCOREINFO says PAGESIZE={}, which this machine does not have", *size);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<CrashedKernel>> CrashedKernel::Open(
    const MemorySource& source, MachineId machine, std::string_view vmcoreinfo_text,
    std::shared_ptr<const GivenVmlinux> vmlinux) {
  const Arch* arch = FindArch(machine.elf_machine);
  if (arch == nullptr)
    return Unsupported(
        "the kernel's memory cannot be translated: its machine (ELF machine {}) is not supported",
        machine.elf_machine);
  Vmcoreinfo info = TRY(Vmcoreinfo::Parse(vmcoreinfo_text));
  Paging paging = TRY(arch->FindPaging(info, machine));
  TRY(CheckPageSize(info, paging));
  uint64_t phys_base = TRY(arch->FindPhysBase(info, machine));
  return std::unique_ptr<CrashedKernel>(std::make_unique<OpenedKernel>(
      source, machine, *arch, std::move(info), std::move(paging), phys_base, std::move(vmlinux)));
}

}  // namespace kdumpkit
