// SPDX-License-Identifier: GPL-2.0-or-later
// The modules that the dead kernel had loaded, and their names: symbols from the tables that the
// kernel keeps of each (Linux kernel/module/kallsyms.c, kernel/module.c before 5.19), types from
// the list btf_modules (Linux 5.11 on, kernel/bpf/btf.c; CONFIG_DEBUG_INFO_BTF_MODULES).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernel/kernel_names.h"

namespace kdumpkit {

struct KernelModule {
  std::string name;
  VirtAddr address;  // of its struct module
};

// In the order of the list `modules`: the newest first. Needs the kernel's types and symbols. Fails
// (kMalformed) when the list does not come back to its head.
Result<std::vector<KernelModule>> ReadModules(const CrashedKernel& kernel,
                                              const KernelNames& names);

// A copy of a module's table of symbols.
class ModuleSymbols {
 public:
  static Result<ModuleSymbols> Read(const CrashedKernel& kernel, const KernelNames& names,
                                    const KernelModule& module);

  // Those that the module defines; ends when `visit` returns false. The type is that of ELF
  // (STT_OBJECT, STT_FUNC…) as a number, the name is valid as long as this object lives.
  void ForEach(const std::function<bool(const KernelSymbol&)>& visit) const;
  // kUnsupported when the module does not define it.
  Result<VirtAddr> Find(std::string_view name) const;

 private:
  ModuleSymbols() = default;

  ByteOrder order_ = ByteOrder::kLittle;
  size_t word_size_ = 8;
  std::string module_;
  ByteBuffer symbols_;  // whole Elf32_Sym or Elf64_Sym
  ByteBuffer strings_;  // ends in a NUL, unless empty
};

// A module's types, on top of the kernel's own. May be moved.
struct ModuleTypes {
  ByteBuffer blob;  // what `types` points into
  Btf types;
};
// `names` must outlive the result, and stay where it is. kUnsupported when the module has no types.
Result<ModuleTypes> ReadModuleTypes(const CrashedKernel& kernel, const KernelNames& names,
                                    const KernelModule& module);

}  // namespace kdumpkit
