// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kernel_names.h"

#include "kernel/kernel_btf.h"

namespace kdumpkit {

KernelNames KernelNames::Learn(const CrashedKernel& kernel) {
  KernelNames names;
  names.vmlinux_ = kernel.vmlinux();
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

std::optional<VirtAddr> KernelNames::OwnSymbol(std::string_view name) const {
  return symbols_ ? symbols_->Find({name})[0] : std::nullopt;
}

Result<VirtAddr> KernelNames::Symbol(std::string_view name) const {
  std::optional<VirtAddr> address = OwnSymbol(name);
  if (!address && vmlinux_ != nullptr) address = vmlinux_->Symbol(name);
  if (address) return *address;
  if (!symbols_ && vmlinux_ == nullptr)
    return Unsupported("symbol {} is not known: {}", name, without_symbols_);
  return Unsupported("the kernel has no symbol {}", name);
}

std::vector<std::optional<VirtAddr>> KernelNames::Symbols(
    const std::vector<std::string_view>& names) const {
  std::vector<std::optional<VirtAddr>> found(names.size());
  if (symbols_) found = symbols_->Find(names);
  for (size_t i = 0; vmlinux_ != nullptr && i < names.size(); ++i)
    if (!found[i]) found[i] = vmlinux_->Symbol(names[i]);
  return found;
}

}  // namespace kdumpkit
