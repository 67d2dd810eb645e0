// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kallsyms_finder.h"

#include <algorithm>

#include "kernel/image_scan.h"

namespace kdumpkit {
namespace {

constexpr uint32_t kMaxSymbols = uint32_t{1} << 22;  // Linux 7.3 has some 250,000
constexpr uint64_t kMaxNameBytes = uint64_t{64} << 20;
constexpr size_t kTokens = 256;
constexpr size_t kMaxToken = 128;
constexpr size_t kIndexBytes = kTokens * 2;
constexpr uint32_t kNamesPerMarker = 256;

constexpr uint64_t AlignUp(uint64_t value, uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

// In the token table every character that occurs in symbols stands for itself, digits among them:
// the tokens 0x30 to 0x39 are "0" to "9".
std::string DigitTokens() {
  std::string text;
  for (char digit = '0'; digit <= '9'; ++digit) text.append(1, digit).append(1, '\0');
  return text;
}

}  // namespace

Kallsyms KallsymsFinder::NewTables() const {
  Kallsyms tables;
  tables.order_ = kernel_.machine().order;
  tables.word_size_ = static_cast<size_t>(word_);
  return tables;
}

Result<ByteBuffer> KallsymsFinder::Bytes(VirtAddr address, uint64_t size) {
  CHECK(size <= kMaxNameBytes);
  ByteBuffer buffer(static_cast<size_t>(size));
  TRY(memory_->Read(address, buffer));
  return buffer;
}

// The tokens are strings one after another; the index has the offset of each.
Status KallsymsFinder::ReadTokens(Kallsyms& tables, VirtAddr table, VirtAddr index_at) {
  ByteBuffer index = TRY(Bytes(index_at, kIndexBytes));
  auto offset = [&](size_t token) {
    return size_t{LoadUnchecked<uint16_t>(index.data() + token * 2, tables.order_)};
  };
  tables.token_bytes_ = TRY(Bytes(table, offset(kTokens - 1) + kMaxToken));
  std::string_view text = AsText(tables.token_bytes_);
  size_t at = 0;
  for (size_t token = 0; token < kTokens; ++token) {
    if (offset(token) != at) return Malformed("token {} is not where the index says", token);
    size_t end = text.find('\0', at);
    if (end == text.npos || end - at > kMaxToken) return Malformed("token {} has no end", token);
    tables.tokens_.push_back({at, end - at});
    at = end + 1;
  }
  bool printable = std::all_of(text.begin(), text.begin() + static_cast<ptrdiff_t>(at),
                               [](char c) { return c == '\0' || (c > ' ' && c <= '~'); });
  if (!printable) return Malformed("tokens that are no text");
  return {};
}

Status KallsymsFinder::ReadAddresses(Kallsyms& tables, VirtAddr at, bool words) {
  tables.addresses_at_ = at;
  tables.words_ = words;
  tables.addresses_ = TRY(Bytes(at, uint64_t{tables.count_} * (words ? word_ : 4)));
  return {};
}

Result<Kallsyms> KallsymsFinder::ByKeys(VirtAddr stext) {
  const Vmcoreinfo& info = kernel_.info();
  Kallsyms tables = NewTables();
  VirtAddr names = TRY(info.RequireSymbol("kallsyms_names"));
  VirtAddr token_table = TRY(info.RequireSymbol("kallsyms_token_table"));
  tables.count_ = TRY(memory_->ReadU32(TRY(info.RequireSymbol("kallsyms_num_syms"))));
  if (tables.count_ == 0 || tables.count_ > kMaxSymbols) {
    return Malformed("kallsyms_num_syms is {}", tables.count_);
  }
  TRY(ReadTokens(tables, token_table, TRY(info.RequireSymbol("kallsyms_token_index"))));
  // In every order of the tables that there was, the tokens follow the names.
  if (token_table <= names || token_table - names > kMaxNameBytes) {
    return Unsupported("the token table at 0x{:x} does not follow the names at 0x{:x}",
                       token_table.value, names.value);
  }
  tables.names_ = TRY(Bytes(names, token_table - names));
  std::optional<VirtAddr> words = info.Symbol("kallsyms_addresses");
  VirtAddr at = words ? *words : TRY(info.RequireSymbol("kallsyms_offsets"));
  TRY(ReadAddresses(tables, at, words.has_value()));
  if (std::optional<VirtAddr> base = info.Symbol("kallsyms_relative_base")) {
    tables.base_ = TRY(memory_->ReadWord(*base));
  }
  TRY(tables.Verify(stext));
  return tables;
}

// Goes back over 47 tokens from token "0", to the beginning of token 1.
Result<VirtAddr> KallsymsFinder::SecondToken(VirtAddr zero_token) {
  constexpr size_t kBefore = '0' - 1;
  constexpr uint64_t kWindow = kBefore * (kMaxToken + 1);
  ByteBuffer before = TRY(Bytes(zero_token - kWindow, kWindow));
  std::string_view text = AsText(before);
  size_t begin = text.size();
  for (size_t token = 0; token < kBefore; ++token) {
    size_t nul = begin < 2 ? text.npos : text.rfind('\0', begin - 2);
    if (nul == text.npos) return Malformed("no token table");
    begin = nul + 1;
  }
  return zero_token - (text.size() - begin);
}

// Offsets of every 256th name in the names: they rise from 0, and end where the tokens begin.
Result<std::vector<uint32_t>> KallsymsFinder::Markers(VirtAddr token_table) {
  constexpr uint64_t kMost = kMaxSymbols / kNamesPerMarker;
  std::vector<uint32_t> markers;
  uint32_t later = UINT32_MAX;
  VirtAddr at = token_table - 4;
  // Padding to a whole word. A lone marker would be zero too, but no kernel has so few symbols.
  if (TRY(memory_->ReadU32(at)) == 0 && word_ == 8) at = at - 4;
  while (later != 0 && markers.size() < kMost) {
    uint32_t marker = TRY(memory_->ReadU32(at));
    if (marker >= later || marker > kMaxNameBytes) return Malformed("no markers of names");
    markers.push_back(marker);
    later = marker;
    at = at - 4;
  }
  if (later != 0) return Malformed("no markers of names");
  std::reverse(markers.begin(), markers.end());
  return markers;
}

// Before the names stands their number, before that the base, before that the offsets; or, where
// addresses are absolute, they stand before the number.
Result<Kallsyms> KallsymsFinder::TryNames(VirtAddr stext, Kallsyms tables, VirtAddr names) {
  VirtAddr number = names - word_;
  uint64_t size = AlignUp(uint64_t{tables.count_} * 4, word_);
  tables.base_ = TRY(memory_->ReadWord(number - word_));
  TRY(ReadAddresses(tables, number - word_ - size, false));
  Status verified = tables.Verify(stext);
  if (!verified) {
    TRY(ReadAddresses(tables, number - uint64_t{tables.count_} * word_, true));
    verified = tables.Verify(stext);
  }
  TRY(std::move(verified));
  return tables;
}

// Where the 256th string from the token table on ends: there, at a whole word, the index begins.
Result<VirtAddr> KallsymsFinder::TokenIndex(VirtAddr token_table) {
  ByteBuffer window = TRY(Bytes(token_table, kTokens * kMaxToken));
  std::string_view text = AsText(window);
  size_t end = 0;
  for (size_t i = 0; i < kTokens; ++i) {
    end = text.find('\0', end) + 1;
    if (end == 0) return Malformed("no token table");
  }
  return VirtAddr(AlignUp((token_table + end).value, word_));
}

Result<Kallsyms> KallsymsFinder::BeforeTokens(VirtAddr stext, VirtAddr token_table) {
  Kallsyms tables = NewTables();
  tables.by_signature_ = true;
  TRY(ReadTokens(tables, token_table, TRY(TokenIndex(token_table))));
  std::vector<uint32_t> markers = TRY(Markers(token_table));
  VirtAddr names_end = token_table - AlignUp(markers.size() * 4, word_);
  // The names behind the last marker are at most 256, of at most 128 bytes in these kernels.
  uint64_t most = AlignUp(markers.back() + uint64_t{kNamesPerMarker} * (1 + 128), word_) + word_;
  ByteBuffer bytes = TRY(Bytes(names_end - most, most));
  for (uint64_t at = word_; at + markers.back() < most; at += word_) {
    uint32_t count = LoadUnchecked<uint32_t>(bytes.data() + at - word_, tables.order_);
    uint64_t with_marker = (uint64_t{count} + kNamesPerMarker - 1) / kNamesPerMarker;
    if (count == 0 || with_marker != markers.size()) continue;
    Kallsyms candidate = tables;
    candidate.count_ = count;
    candidate.names_.assign(bytes.begin() + static_cast<ptrdiff_t>(at), bytes.end());
    auto found = TryNames(stext, std::move(candidate), names_end - (most - at));
    if (found) return found;
  }
  return Malformed("no names before the token table at 0x{:x}", token_table.value);
}

Result<Kallsyms> KallsymsFinder::BySignature(VirtAddr stext) {
  std::optional<Kallsyms> found;
  std::string digits = DigitTokens();
  ScanImage(kernel_, AsBytes(digits), [&](VirtAddr zero_token) {
    Result<VirtAddr> second = SecondToken(zero_token);
    if (!second) return false;
    // The table begins at a whole word; what stands before it need not be zero.
    VirtAddr table((second->value - 2) / word_ * word_);
    for (; !found && *second - table <= kMaxToken; table = table - word_) {
      if (Result<Kallsyms> tables = BeforeTokens(stext, table)) found = std::move(*tables);
    }
    return found.has_value();
  });
  if (!found) return Unsupported("VMCOREINFO does not lead to kallsyms, and no table was found");
  return std::move(*found);
}

}  // namespace kdumpkit
