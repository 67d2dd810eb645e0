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

// The first source that contradicts is the one that is told of.
void Compare(std::string_view key, uint64_t value, FactSource source, KernelFact& fact) {
  if (fact.other || SameFact(key, fact.value, value)) return;
  fact.other = value;
  fact.other_source = source;
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
    case FactSource::kVmlinux:
      return "vmlinux";
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
  if (names.types() == nullptr) facts.without_btf_ = names.without_types();
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

// Only those that VMCOREINFO lacks: for mem_section it gives the array, not the variable.
std::optional<KernelFact> KernelFacts::LearnedSymbol(std::string_view key,
                                                     const KernelNames& names) const {
  if (HasSymbolFor(key)) return std::nullopt;
  std::string_view name = key.substr(7, key.size() - 8);
  if (auto own = names.OwnSymbol(name))
    return KernelFact{.value = own->value, .source = FactSource::kKallsyms};
  Result<VirtAddr> address = names.Symbol(name);
  if (!address) return std::nullopt;
  return KernelFact{.value = address->value, .source = FactSource::kVmlinux};
}

// What is learned besides VMCOREINFO.
std::optional<KernelFact> KernelFacts::Learned(std::string_view key,
                                               const KernelNames& names) const {
  if (key.starts_with("SYMBOL(")) return LearnedSymbol(key, names);
  std::optional<KernelFact> fact;
  for (auto [types, source] : {std::pair{names.own_types(), FactSource::kBtf},
                               std::pair{names.vmlinux_types(), FactSource::kVmlinux}}) {
    if (types == nullptr) continue;
    std::optional<uint64_t> value = FactFromBtf(*types, key);
    if (value && !fact) fact = KernelFact{.value = *value, .source = source};
    if (value) Compare(key, *value, source, *fact);
  }
  if (fact || names.types() == nullptr || Has(key)) return fact;
  auto value = FactFromHistory(*names.types(), key);
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
      Compare(row.key, learned->value, learned->source, *stated);
      if (learned->other) Compare(row.key, *learned->other, learned->other_source, *stated);
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
  if (fact->other)
    return Malformed("{} is contradicted by {}", key, FactSourceName(fact->other_source));
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
    lines.push_back(fmt::format("{} is {} by {}, but {} by {}", key, FactText(key, fact.value),
                                FactSourceName(fact.source), FactText(key, *fact.other),
                                FactSourceName(fact.other_source)));
  }
  return lines;
}

}  // namespace kdumpkit
