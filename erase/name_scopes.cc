// SPDX-License-Identifier: GPL-2.0-or-later
#include "erase/name_scopes.h"

#include "base/nearest.h"

namespace kdumpkit {
namespace {

// Collects candidates, then looks for the nearest: names are valid only while they are visited.
class SymbolSearch {
 public:
  explicit SymbolSearch(std::string_view wanted) : wanted_(wanted) {}

  bool Visit(const KernelSymbol& symbol) {
    size_t longer = std::max(symbol.name.size(), wanted_.size());
    if (longer - std::min(symbol.name.size(), wanted_.size()) <= 2)
      names_.emplace_back(symbol.name);
    return true;
  }
  std::string Best() const {
    std::vector<std::string_view> views(names_.begin(), names_.end());
    return std::string(Nearest(wanted_, views));
  }

 private:
  std::string_view wanted_;
  std::vector<std::string> names_;
};

class KernelScope final : public NameScope {
 public:
  explicit KernelScope(const KernelNames& names) : names_(names) {}

  Result<VirtAddr> Symbol(std::string_view name) const override { return names_.Symbol(name); }
  std::string NearestSymbol(std::string_view name) const override {
    SymbolSearch search(name);
    names_.ForEachSymbol([&](const KernelSymbol& symbol) { return search.Visit(symbol); });
    return search.Best();
  }
  // A vmlinux may have the types of all variables, which the kernel itself never has.
  const Btf* types() const override {
    const GivenVmlinux* vmlinux = names_.vmlinux();
    const Btf* types = vmlinux != nullptr ? vmlinux->TypesWithVariables() : nullptr;
    return types != nullptr ? types : names_.types();
  }
  std::string without_types() const override { return names_.without_types(); }
  std::string without_variables() const override {
    const GivenVmlinux* vmlinux = names_.vmlinux();
    if (vmlinux == nullptr) return NameScope::without_variables();
    for (const std::string& why : {vmlinux->without_types(), vmlinux->without_variables()})
      if (!why.empty()) return why;
    return fmt::format("'{}' has no variable of this name, or several", vmlinux->file().path());
  }

 private:
  const KernelNames& names_;
};

class ModuleScope final : public NameScope {
 public:
  ModuleScope(ModuleSymbols symbols, Result<ModuleTypes> types, const KernelNames& names)
      : symbols_(std::move(symbols)), types_(std::move(types)), names_(names) {}

  Result<VirtAddr> Symbol(std::string_view name) const override { return symbols_.Find(name); }
  std::string NearestSymbol(std::string_view name) const override {
    SymbolSearch search(name);
    symbols_.ForEach([&](const KernelSymbol& symbol) { return search.Visit(symbol); });
    return search.Best();
  }
  // A module without types of its own has those of the kernel.
  const Btf* types() const override { return types_ ? &types_->types : names_.types(); }
  std::string without_types() const override { return names_.without_types(); }

 private:
  ModuleSymbols symbols_;
  Result<ModuleTypes> types_;
  const KernelNames& names_;
};

}  // namespace

NameScopes::NameScopes(const CrashedKernel& kernel, const KernelNames& names)
    : kernel_(kernel), names_(names), kernel_scope_(std::make_unique<KernelScope>(names)) {}

Result<std::unique_ptr<NameScope>> NameScopes::Open(const std::string& module) const {
  std::vector<KernelModule> loaded = TRY(ReadModules(kernel_, names_).In("modules"));
  for (const KernelModule& candidate : loaded) {
    if (candidate.name != module) continue;
    ModuleSymbols symbols = TRY(ModuleSymbols::Read(kernel_, names_, candidate));
    return std::unique_ptr<NameScope>(std::make_unique<ModuleScope>(
        std::move(symbols), ReadModuleTypes(kernel_, names_, candidate), names_));
  }
  std::vector<std::string_view> names;
  for (const KernelModule& candidate : loaded) names.push_back(candidate.name);
  std::string_view nearest = Nearest(module, names);
  return UsageError("the module '{}' was not loaded{}", module,
                    nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

Result<const NameScope*> NameScopes::Of(const std::string& module) {
  if (module == "vmlinux") return kernel_scope_.get();
  auto found = modules_.find(module);
  if (found == modules_.end()) found = modules_.emplace(module, TRY(Open(module))).first;
  return found->second.get();
}

}  // namespace kdumpkit
