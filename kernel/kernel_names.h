// SPDX-License-Identifier: GPL-2.0-or-later
// The names of the dead kernel: the symbols and the types that it carries itself, and those of the
// vmlinux that the user gave.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernel/btf.h"
#include "kernel/given_vmlinux.h"
#include "kernel/kallsyms.h"

namespace kdumpkit {

class KernelNames {
 public:
  // Reads kallsyms and BTF: some megabytes, for as long as the result lives, which `kernel` must
  // outlive. Never fails: without_symbols() and without_types() say what there is none of.
  static KernelNames Learn(const CrashedKernel& kernel);

  // Of the kernel itself, else of the vmlinux. kUnsupported when there is no symbol of this name.
  // Some milliseconds each.
  Result<VirtAddr> Symbol(std::string_view name) const;
  // All symbols there are; ends when `visit` returns false. The name is valid during the call.
  void ForEachSymbol(const std::function<bool(const KernelSymbol&)>& visit) const;
  // Several at once, in the time of one.
  std::vector<std::optional<VirtAddr>> Symbols(const std::vector<std::string_view>& names) const;
  // Of the kernel itself, else of the vmlinux. Null when there are none.
  const Btf* types() const { return types_ ? &*types_ : vmlinux_types(); }
  // Of the one source alone; null when it has none.
  const Btf* own_types() const { return types_ ? &*types_ : nullptr; }
  const Btf* vmlinux_types() const { return vmlinux_ != nullptr ? vmlinux_->types() : nullptr; }
  // Null when none was given.
  const GivenVmlinux* vmlinux() const { return vmlinux_; }
  std::optional<VirtAddr> OwnSymbol(std::string_view name) const;

  // Why the kernel's own are missing; empty when they were read.
  const std::string& without_symbols() const { return without_symbols_; }
  const std::string& without_types() const { return without_types_; }

 private:
  KernelNames() = default;
  void ReadTypes(const CrashedKernel& kernel);

  std::optional<Kallsyms> symbols_;
  std::string without_symbols_;
  std::unique_ptr<ByteBuffer> blob_;  // what types_ points into, wherever this object moves
  std::optional<Btf> types_;
  const GivenVmlinux* vmlinux_ = nullptr;  // of the kernel, which outlives this object
  std::string without_types_;
};

}  // namespace kdumpkit
