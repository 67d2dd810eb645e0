// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kernel_names.h"

#include "kernel/kernel_btf.h"

namespace kdumpkit {

KernelNames KernelNames::Learn(const CrashedKernel& kernel) {
  KernelNames names;
  Result<Kallsyms> symbols = Kallsyms::Read(kernel);
  if (symbols) {
    names.symbols_ = std::move(*symbols);
  } else {
    names.without_symbols_ = symbols.error().message();
  }
  names.ReadTypes(kernel);
  return names;
}

void KernelNames::ReadTypes(const CrashedKernel& kernel) {
  Result<ByteBuffer> blob = ReadKernelBtf(kernel, symbols_ ? &*symbols_ : nullptr);
  if (!blob) {
    without_types_ = blob.error().message();
    return;
  }
  blob_ = std::make_unique<ByteBuffer>(std::move(*blob));
  Result<Btf> types = Btf::Parse(*blob_);
  CHECK(types.has_value());  // ReadKernelBtf has parsed it
  types_ = std::move(*types);
}

Result<VirtAddr> KernelNames::Symbol(std::string_view name) const {
  if (!symbols_) return Unsupported("symbol {} is not known: {}", name, without_symbols_);
  std::optional<VirtAddr> address = symbols_->Find({name})[0];
  if (!address) return Unsupported("the kernel has no symbol {}", name);
  return *address;
}

void KernelNames::ForEachSymbol(const std::function<bool(const KernelSymbol&)>& visit) const {
  if (symbols_) symbols_->ForEach(visit);
}

}  // namespace kdumpkit
