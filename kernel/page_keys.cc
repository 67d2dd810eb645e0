// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/page_keys.h"

namespace kdumpkit {
namespace {

// struct page is 32 to 96 bytes on the machines of today.
constexpr uint64_t kMaxPageStruct = 4096;

}  // namespace

Result<PageKeys> PageKeys::Make(const KernelFacts& facts, int word_size) {
  uint64_t size = TRY(facts.Size("page"));
  uint32_t word = static_cast<uint32_t>(word_size);
  if (size < word || size > kMaxPageStruct) return Malformed("SIZE(page)={}", size);
  return PageKeys(facts, word, static_cast<uint32_t>(size));
}

Result<uint32_t> PageKeys::Member(std::string_view member, uint32_t width) const {
  uint64_t offset = TRY(facts_->Offset("page", member));
  if (offset > size_ || width > size_ - offset) {
    return Malformed("OFFSET(page.{})={} is outside of struct page", member, offset);
  }
  return static_cast<uint32_t>(offset);
}

Result<uint32_t> PageKeys::ByteOfNext(std::string_view type, std::string_view member) const {
  uint64_t offset = TRY(facts_->Offset(type, member));
  // The second struct page is the second part of struct folio.
  uint64_t base = type == "folio" ? size_ : 0;
  if (offset < base || offset - base >= size_) {
    return Malformed("OFFSET({}.{})={} is outside of struct page", type, member, offset);
  }
  return static_cast<uint32_t>(offset - base);
}

Result<PageRules::FlagTest> PageKeys::Flag(std::string_view name) const {
  int64_t bit = TRY(facts_->Number(name));
  if (bit < 0 || bit >= int64_t{word_size_} * 8) {
    return Malformed("NUMBER({})={} is no bit of page.flags", name, bit);
  }
  uint64_t mask = uint64_t{1} << bit;
  return PageRules::FlagTest{mask, mask};
}

Result<PageRules::TypeTest> PageKeys::Type(std::string_view name) const {
  int64_t value = TRY(facts_->Number(name));
  if (value < INT32_MIN || value > int64_t{UINT32_MAX}) {
    return Malformed("NUMBER({})={} does not fit page._mapcount", name, value);
  }
  TRY(Member("_mapcount", 4));
  return PageRules::TypeTest{static_cast<uint32_t>(value)};
}

}  // namespace kdumpkit
