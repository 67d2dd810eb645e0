// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kernel_facts.h"

#include "kernel/btf_facts.h"
#include "kernel/kernel_names.h"
#include "kernel/vmcoreinfo_keys.h"

namespace kdumpkit {
namespace {

// Page types are 32 bits, whether the kernel prints them with a sign or without.
bool SameFact(std::string_view key, uint64_t a, uint64_t b) {
  if (key.starts_with("NUMBER(PAGE_")) return static_cast<uint32_t>(a) == static_cast<uint32_t>(b);
  return a == b;
}

std::optional<uint64_t> Stated(const Vmcoreinfo& info, std::string_view key) {
  size_t open = key.find('(');
  if (open == key.npos) return std::nullopt;
  std::string_view kind = key.substr(0, open);
  std::string_view name = key.substr(open + 1, key.size() - open - 2);
  if (kind == "SYMBOL") {
    auto symbol = info.Symbol(name);
    return symbol ? std::optional(symbol->value) : std::nullopt;
  }
  if (kind == "NUMBER") {
    auto number = info.Number(name);
    return number ? std::optional(static_cast<uint64_t>(*number)) : std::nullopt;
  }
  return info.Decimal(key);
}

}  // namespace

std::string_view FactSourceName(FactSource source) {
  switch (source) {
    case FactSource::kVmcoreinfo:
      return "VMCOREINFO";
    case FactSource::kBtf:
      return "BTF";
    case FactSource::kKallsyms:
      return "kallsyms";
    case FactSource::kHistory:
      return "history";
  }
  return "";
}

std::string FactText(std::string_view key, uint64_t value) {
  if (key.starts_with("SYMBOL(")) return fmt::format("{:x}", value);
  if (key.starts_with("NUMBER(")) return fmt::format("{}", static_cast<int64_t>(value));
  return fmt::format("{}", value);
}

KernelFacts KernelFacts::FromVmcoreinfo(const Vmcoreinfo& info) { return KernelFacts(info); }

KernelFacts KernelFacts::Learn(const CrashedKernel& kernel, const KernelNames& names) {
  KernelFacts facts(kernel.info());
  facts.without_btf_ = names.without_types();
  if (!facts.without_btf_.empty() && !names.without_symbols().empty())
    facts.without_btf_ += fmt::format(" ({})", names.without_symbols());
  facts.Settle(names);
  return facts;
}

// Of the two symbols that lead to the memory map a kernel needs one, and so with the nodes.
bool KernelFacts::HasSymbolFor(std::string_view key) const {
  for (auto [one, other] : {std::pair{"SYMBOL(mem_section)", "SYMBOL(mem_map)"},
                            std::pair{"SYMBOL(node_data)", "SYMBOL(contig_page_data)"}}) {
    if (key == one || key == other) return Has(one) || Has(other);
  }
  return Has(key);
}

// What is learned besides VMCOREINFO. Of symbols only those that VMCOREINFO lacks: for mem_section
// it gives the array, not the variable.
std::optional<KernelFact> KernelFacts::Learned(std::string_view key,
                                               const KernelNames& names) const {
  if (key.starts_with("SYMBOL(")) {
    if (HasSymbolFor(key)) return std::nullopt;
    Result<VirtAddr> address = names.Symbol(key.substr(7, key.size() - 8));
    if (!address) return std::nullopt;
    return KernelFact{.value = address->value, .source = FactSource::kKallsyms};
  }
  const Btf* types = names.types();
  if (types == nullptr) return std::nullopt;
  if (auto value = FactFromBtf(*types, key)) {
    return KernelFact{.value = *value, .source = FactSource::kBtf};
  }
  auto value = Has(key) ? std::nullopt : FactFromHistory(*types, key);
  if (!value) return std::nullopt;
  return KernelFact{.value = *value, .source = FactSource::kHistory};
}

void KernelFacts::Settle(const KernelNames& names) {
  for (const VmcoreinfoKey& row : kVmcoreinfoKeys) {
    if (!IsPageKey(row.key)) continue;
    std::optional<KernelFact> stated = Find(row.key);
    std::optional<KernelFact> learned = Learned(row.key, names);
    if (stated && learned) {
      stated->confirmed = SameFact(row.key, stated->value, learned->value);
      if (!stated->confirmed) stated->other = learned->value;
    }
    if (!stated) stated = learned;
    if (stated) settled_.emplace(std::string(row.key), *stated);
  }
}

std::optional<KernelFact> KernelFacts::Find(std::string_view key) const {
  if (auto settled = settled_.find(key); settled != settled_.end()) return settled->second;
  std::optional<uint64_t> value = Stated(*info_, key);
  return value ? std::optional(KernelFact{.value = *value}) : std::nullopt;
}

Result<uint64_t> KernelFacts::Get(std::string_view key) const {
  std::optional<KernelFact> fact = Find(key);
  if (!fact) return Unsupported("{} is missing", key);
  if (fact->other) return Malformed("{} is contradicted by BTF", key);
  return fact->value;
}

Result<uint64_t> KernelFacts::Size(std::string_view type) const {
  return Get(fmt::format("SIZE({})", type));
}

Result<uint64_t> KernelFacts::Offset(std::string_view type, std::string_view member) const {
  return Get(fmt::format("OFFSET({}.{})", type, member));
}

Result<uint64_t> KernelFacts::Length(std::string_view name) const {
  return Get(fmt::format("LENGTH({})", name));
}

Result<int64_t> KernelFacts::Number(std::string_view name) const {
  return static_cast<int64_t>(TRY(Get(fmt::format("NUMBER({})", name))));
}

Result<VirtAddr> KernelFacts::Symbol(std::string_view name) const {
  return VirtAddr(TRY(Get(fmt::format("SYMBOL({})", name))));
}

std::vector<std::string> KernelFacts::Contradictions() const {
  std::vector<std::string> lines;
  for (const auto& [key, fact] : settled_) {
    if (!fact.other) continue;
    lines.push_back(fmt::format("{} is {} by VMCOREINFO, but {} by BTF", key,
                                FactText(key, fact.value), FactText(key, *fact.other)));
  }
  return lines;
}

}  // namespace kdumpkit
