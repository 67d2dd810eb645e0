// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kallsyms.h"

#include <algorithm>

#include "kernel/kallsyms_finder.h"

namespace kdumpkit {
std::string_view KallsymsAddressName(KallsymsAddress address) {
  switch (address) {
    case KallsymsAddress::kAbsolute:
      return "absolute";
    case KallsymsAddress::kBaseRelative:
      return "base-relative";
    case KallsymsAddress::kAbsolutePercpu:
      return "absolute-percpu";
    case KallsymsAddress::kPlaceRelative:
      return "place-relative";
  }
  return "";
}

Result<Kallsyms> Kallsyms::Read(const CrashedKernel& kernel) {
  VirtAddr stext = TRY(kernel.info().RequireSymbol("_stext"));
  KallsymsFinder finder(kernel);
  if (!kernel.info().Symbol("kallsyms_names")) return finder.BySignature(stext);
  return finder.ByKeys(stext).In("kallsyms");
}

// A length is one byte; since Linux 6.1 (commit 73bbb94466fd, "kallsyms: support "big" kernel
// symbols") bit 7 says that a second byte has higher bits. Each byte that follows names a token.
std::string_view Kallsyms::Expand(size_t& at, NameBuffer& buffer) const {
  if (at >= names_.size()) return {};
  size_t length = std::to_integer<size_t>(names_[at++]);
  if (long_lengths_ && (length & 0x80) != 0) {
    if (at >= names_.size()) return {};
    length = (length & 0x7f) | std::to_integer<size_t>(names_[at++]) << 7;
  }
  if (length > names_.size() - at || length > kMaxName) return {};
  size_t used = 0;
  for (size_t end = at + length; at < end; ++at) {
    std::string_view token = Token(std::to_integer<size_t>(names_[at]));
    if (token.size() > kMaxName - used) return {};
    // Tokens are a few characters: faster than a call of memcpy.
    for (char c : token) buffer[used++] = c;
  }
  return {buffer.data(), used};
}

VirtAddr Kallsyms::AddressOf(uint32_t index, KallsymsAddress kind) const {
  if (kind == KallsymsAddress::kAbsolute) {
    const std::byte* entry = addresses_.data() + size_t{index} * word_size_;
    return VirtAddr(word_size_ == 4 ? LoadUnchecked<uint32_t>(entry, order_)
                                    : LoadUnchecked<uint64_t>(entry, order_));
  }
  uint32_t entry = LoadUnchecked<uint32_t>(addresses_.data() + size_t{index} * 4, order_);
  int64_t offset = static_cast<int32_t>(entry);
  uint64_t base = base_.value_or(0);
  uint64_t address = base + entry;
  if (kind == KallsymsAddress::kAbsolutePercpu) {
    address = offset >= 0 ? entry : base - 1 - static_cast<uint64_t>(offset);
  } else if (kind == KallsymsAddress::kPlaceRelative) {
    address = addresses_at_.value + uint64_t{index} * 4 + static_cast<uint64_t>(offset);
  }
  return VirtAddr(word_size_ == 4 ? address & UINT32_MAX : address);
}

// The number of the symbol `wanted`; absent when any name is wrong or the symbol is not there. The
// first character of a name is its type.
std::optional<uint32_t> Kallsyms::WalkNames(std::string_view wanted) const {
  std::optional<uint32_t> found;
  NameBuffer buffer = {};
  size_t at = 0;
  for (uint32_t i = 0; i < count_; ++i) {
    std::string_view name = Expand(at, buffer);
    if (name.size() < 2) return std::nullopt;
    if (!found && name.substr(1) == wanted) found = i;
  }
  return found;
}

Status Kallsyms::Verify(VirtAddr stext) {
  std::optional<uint32_t> index;
  for (bool long_lengths : {true, false}) {
    long_lengths_ = long_lengths;
    index = WalkNames("_stext");
    if (index) break;
  }
  if (!index) return Malformed("the names cannot be read or lack _stext");
  for (KallsymsAddress kind : {KallsymsAddress::kAbsolute, KallsymsAddress::kBaseRelative,
                               KallsymsAddress::kAbsolutePercpu, KallsymsAddress::kPlaceRelative}) {
    kind_ = kind;
    bool based = kind == KallsymsAddress::kBaseRelative || kind == KallsymsAddress::kAbsolutePercpu;
    if (words_ != (kind == KallsymsAddress::kAbsolute) || (based && !base_)) continue;
    if (AddressOf(*index, kind) == stext) return {};
  }
  return Malformed("no encoding gives _stext its address 0x{:x}", stext.value);
}

void Kallsyms::ForEach(const std::function<bool(const KernelSymbol&)>& visit) const {
  NameBuffer buffer = {};
  size_t at = 0;
  for (uint32_t i = 0; i < count_; ++i) {
    std::string_view name = Expand(at, buffer);
    if (!visit({name[0], name.substr(1), AddressOf(i, kind_)})) return;
  }
}

std::vector<std::optional<VirtAddr>> Kallsyms::Find(
    const std::vector<std::string_view>& names) const {
  std::vector<std::optional<VirtAddr>> found(names.size());
  size_t missing = names.size();
  ForEach([&](const KernelSymbol& symbol) {
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] != symbol.name || found[i]) continue;
      found[i] = symbol.address;
      --missing;
    }
    return missing > 0;
  });
  return found;
}

}  // namespace kdumpkit
