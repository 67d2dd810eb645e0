// SPDX-License-Identifier: GPL-2.0-or-later
// kallsyms: the dead kernel's own table of its symbols (Linux kernel/kallsyms.c, written by
// scripts/kallsyms.c). Modules have tables of their own, which are not read here.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "kernel/crashed_kernel.h"

namespace kdumpkit {

// What an entry of the address table means.
enum class KallsymsAddress : uint8_t {
  kAbsolute,        // the address, a whole word (without CONFIG_KALLSYMS_BASE_RELATIVE)
  kBaseRelative,    // 32 bits to be added to kallsyms_relative_base
  kAbsolutePercpu,  // not negative: the address itself; negative: base - 1 - entry
  kPlaceRelative,   // signed 32 bits, to be added to the address of the entry itself (7.x)
};
std::string_view KallsymsAddressName(KallsymsAddress address);

struct KernelSymbol {
  char type = 0;  // as nm has it
  std::string_view name;
  VirtAddr address;
};

class Kallsyms {
 public:
  // Found through VMCOREINFO's keys (Linux 6.0 and later), else by the shape of its tables in the
  // kernel image. All tables are checked: every name, every index, and that `_stext` is where
  // VMCOREINFO says. The tables are copied: some megabytes.
  static Result<Kallsyms> Read(const CrashedKernel& kernel);

  uint32_t size() const { return count_; }
  KallsymsAddress address_kind() const { return kind_; }
  bool long_lengths() const { return long_lengths_; }  // lengths of two bytes exist (6.1 on)
  bool by_signature() const { return by_signature_; }

  // In the kernel's order, which is by address; ends when `visit` returns false. The name is valid
  // during the call.
  void ForEach(const std::function<bool(const KernelSymbol&)>& visit) const;
  // The first symbol of each name. One walk over the table, some milliseconds.
  std::vector<std::optional<VirtAddr>> Find(const std::vector<std::string_view>& names) const;

 private:
  friend class KallsymsFinder;
  // KSYM_NAME_LEN is 512 since Linux 6.1, 128 before.
  static constexpr size_t kMaxName = 1024;
  using NameBuffer = std::array<char, kMaxName>;
  struct TokenPlace {
    size_t at = 0;
    size_t size = 0;
  };
  Kallsyms() = default;

  // The name whose length stands at `at`, after which `at` is the next one's. Empty when it runs
  // out of the table, is empty or too long.
  std::string_view Expand(size_t& at, NameBuffer& buffer) const;
  VirtAddr AddressOf(uint32_t index, KallsymsAddress kind) const;
  // Walks over all names; finds out how lengths and addresses are encoded.
  Status Verify(VirtAddr stext);
  std::optional<uint32_t> WalkNames(std::string_view wanted) const;
  std::string_view Token(size_t number) const {
    return AsText(token_bytes_).substr(tokens_[number].at, tokens_[number].size);
  }

  ByteOrder order_ = ByteOrder::kLittle;
  size_t word_size_ = 8;
  uint32_t count_ = 0;
  ByteBuffer names_;        // kallsyms_names, and what follows it
  ByteBuffer token_bytes_;  // kallsyms_token_table
  std::vector<TokenPlace> tokens_;
  ByteBuffer addresses_;  // kallsyms_offsets, or kallsyms_addresses
  VirtAddr addresses_at_;
  bool words_ = false;  // the table has whole words
  std::optional<uint64_t> base_;
  KallsymsAddress kind_ = KallsymsAddress::kAbsolute;
  bool long_lengths_ = true;
  bool by_signature_ = false;
};

}  // namespace kdumpkit
