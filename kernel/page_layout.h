// SPDX-License-Identifier: GPL-2.0-or-later
// struct page of the dead kernel: where its facts are, and what their values mean. Rules and
// the kernel versions they come from: docs/page-classes.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "kernel/vmcoreinfo.h"

namespace kdumpkit {

// What one struct page says of itself, independent of any dump level. Several may be true.
enum PageFact : uint16_t {
  kPageTail = 1 << 0,        // tail of a compound page: its head speaks for it
  kPageBuddy = 1 << 1,       // head of a free block of 2^order pages
  kPageUnaccepted = 1 << 2,  // head of a block that the guest has not accepted (TDX, SEV-SNP)
  kPageCache = 1 << 3,       // page cache or swap cache
  kPagePrivate = 1 << 4,     // PG_private: the file system keeps data with the page
  kPageAnon = 1 << 5,        // anonymous or KSM memory of a process
  kPageHugetlb = 1 << 6,     // head of a hugetlb page
  kPageHwpoison = 1 << 7,    // failed memory
  kPageOffline = 1 << 8,     // logically offline (balloon, virtio-mem)
  kPageSlab = 1 << 9,        // slab (informative: never dropped)
};
inline constexpr int kPageFactBits = 10;

struct PageFacts {
  uint16_t bits = 0;  // of PageFact
  // Block size: the buddy order, the unaccepted order or the compound order; 0 for single pages.
  uint8_t order = 0;
  // A buddy order that is out of range; the page then is not taken for free.
  bool bad_order = false;
};

class PageLayout {
 public:
  // A rule whose keys are missing is switched off (its pages are kept) and named in disabled().
  // Fails only when struct page itself cannot be found: SIZE(page) and friends missing.
  static Result<PageLayout> FromVmcoreinfo(const Vmcoreinfo& info, ByteOrder order, int word_size,
                                           uint64_t page_size);

  size_t page_struct_size() const { return size_; }
  // `page` has page_struct_size() bytes; `next` is the struct page of pfn + 1 (compound pages keep
  // their order there), null when it is not in the same view. Cannot fail: all offsets were
  // checked by the factory. `pfn` is for the alignment rule of block heads.
  PageFacts Decode(uint64_t pfn, const std::byte* page, const std::byte* next) const;

  bool can_tell_free() const;      // the buddy rule is on
  bool can_tell_hwpoison() const;  // NUMBER(PG_hwpoison) was there
  // Rules that are off: "offline pages: NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE) is missing".
  const std::vector<std::string>& disabled() const { return disabled_; }

 private:
  PageLayout() = default;
  size_t size_ = 0;
  std::vector<std::string> disabled_;
};

}  // namespace kdumpkit
