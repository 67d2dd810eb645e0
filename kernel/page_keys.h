// SPDX-License-Identifier: GPL-2.0-or-later
// Facts about struct page by their keys in VMCOREINFO, each checked to be usable. An error is the
// key's name and what is wrong with it: "OFFSET(page.private) is missing".
#pragma once

#include "kernel/page_rules.h"

namespace kdumpkit {

class PageKeys {
 public:
  // `facts` must outlive this object. Fails when struct page has no sane size.
  static Result<PageKeys> Make(const KernelFacts& facts, int word_size);

  const KernelFacts& facts() const { return *facts_; }
  uint32_t size() const { return size_; }            // of struct page, bytes
  uint32_t word_size() const { return word_size_; }  // bytes

  // Offset of a member of struct page that has `width` bytes.
  Result<uint32_t> Member(std::string_view member, uint32_t width) const;
  // Offset of a byte in the second struct page of a compound page. `type` is "page", whose members
  // overlay the second page as they do the first, or "folio", which spans both.
  Result<uint32_t> ByteOfNext(std::string_view type, std::string_view member) const;
  // NUMBER(name) as the number of a bit of page.flags.
  Result<PageRules::FlagTest> Flag(std::string_view name) const;
  // NUMBER(name) as a value of page._mapcount.
  Result<PageRules::TypeTest> Type(std::string_view name) const;

 private:
  PageKeys(const KernelFacts& facts, uint32_t word_size, uint32_t size)
      : facts_(&facts), word_size_(word_size), size_(size) {}

  const KernelFacts* facts_;
  uint32_t word_size_;
  uint32_t size_;
};

}  // namespace kdumpkit
