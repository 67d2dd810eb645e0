// SPDX-License-Identifier: GPL-2.0-or-later
// What is known of the dead kernel by name: from VMCOREINFO first, from its own BTF and symbols
// second, from a vmlinux third. Where two contradict each other, nothing is known: the rule that
// asks is off, and its pages are kept.
#pragma once

#include <map>

#include "kernel/crashed_kernel.h"

namespace kdumpkit {

class Btf;
class KernelNames;

enum class FactSource : uint8_t {
  kVmcoreinfo,
  kBtf,
  kKallsyms,
  kVmlinux,  // types or symbols of the vmlinux that the user gave
  kHistory,  // a constant of all kernels whose BTF is like this one's
};
std::string_view FactSourceName(FactSource source);

struct KernelFact {
  uint64_t value = 0;  // NUMBER: the bits of an int64_t
  FactSource source = FactSource::kVmcoreinfo;
  bool confirmed = false;         // BTF says the same
  std::optional<uint64_t> other;  // what another source says instead
  FactSource other_source = FactSource::kBtf;
};

class KernelFacts {
 public:
  // VMCOREINFO alone. `info` must outlive the result.
  static KernelFacts FromVmcoreinfo(const Vmcoreinfo& info);
  // Also settles every key of kernel/vmcoreinfo_keys.h that `names` may know, which are not needed
  // any more then. `kernel` must outlive the result. Never fails: without_btf() says what there was
  // none of.
  static KernelFacts Learn(const CrashedKernel& kernel, const KernelNames& names);

  // Present, even if contradicted.
  bool Has(std::string_view key) const { return Find(key).has_value(); }
  bool HasNumber(std::string_view name) const { return Has(fmt::format("NUMBER({})", name)); }
  bool HasLength(std::string_view name) const { return Has(fmt::format("LENGTH({})", name)); }
  bool HasOffset(std::string_view type, std::string_view member) const {
    return Has(fmt::format("OFFSET({}.{})", type, member));
  }

  // Fail when the key is missing (kUnsupported) or contradicted (kMalformed); both name it.
  Result<uint64_t> Size(std::string_view type) const;
  Result<uint64_t> Offset(std::string_view type, std::string_view member) const;
  Result<uint64_t> Length(std::string_view name) const;
  Result<int64_t> Number(std::string_view name) const;
  Result<VirtAddr> Symbol(std::string_view name) const;

  // Those that were settled, by key; "OFFSET(page.flags)".
  const std::map<std::string, KernelFact, std::less<>>& settled() const { return settled_; }
  // Why BTF was not used; empty when it was, or when it was not looked for.
  const std::string& without_btf() const { return without_btf_; }
  // "NUMBER(PG_lru) is 5 by VMCOREINFO, but 4 by BTF"
  std::vector<std::string> Contradictions() const;

 private:
  explicit KernelFacts(const Vmcoreinfo& info) : info_(&info) {}
  std::optional<KernelFact> Find(std::string_view key) const;
  Result<uint64_t> Get(std::string_view key) const;
  std::optional<KernelFact> Learned(std::string_view key, const KernelNames& names) const;
  std::optional<KernelFact> LearnedSymbol(std::string_view key, const KernelNames& names) const;
  bool HasSymbolFor(std::string_view key) const;
  void Settle(const KernelNames& names);

  const Vmcoreinfo* info_;
  std::map<std::string, KernelFact, std::less<>> settled_;
  std::string without_btf_;
};

// A fact's value as VMCOREINFO writes it: numbers signed, symbols in hexadecimal.
std::string FactText(std::string_view key, uint64_t value);

}  // namespace kdumpkit
