// SPDX-License-Identifier: GPL-2.0-or-later
// The names of the dead kernel: the symbols and the types that it carries itself.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "kernel/btf.h"
#include "kernel/kallsyms.h"

namespace kdumpkit {

class KernelNames {
 public:
  // Reads kallsyms and BTF: some megabytes, for as long as the result lives. Never fails:
  // without_symbols() and without_types() say what there is none of.
  static KernelNames Learn(const CrashedKernel& kernel);

  // kUnsupported when there is no symbol of this name. Some milliseconds each.
  Result<VirtAddr> Symbol(std::string_view name) const;
  // All symbols there are; ends when `visit` returns false. The name is valid during the call.
  void ForEachSymbol(const std::function<bool(const KernelSymbol&)>& visit) const;
  // Null when there are none.
  const Btf* types() const { return types_ ? &*types_ : nullptr; }

  // Why; empty when they were read.
  const std::string& without_symbols() const { return without_symbols_; }
  const std::string& without_types() const { return without_types_; }

 private:
  KernelNames() = default;
  void ReadTypes(const CrashedKernel& kernel);

  std::optional<Kallsyms> symbols_;
  std::string without_symbols_;
  std::unique_ptr<ByteBuffer> blob_;  // what types_ points into, wherever this object moves
  std::optional<Btf> types_;
  std::string without_types_;
};

}  // namespace kdumpkit
