// SPDX-License-Identifier: GPL-2.0-or-later
// struct page of the dead kernel: where its facts are, and what their values mean. Rules and
// the kernel versions they come from: docs/page-classes.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "kernel/page_rules.h"

namespace kdumpkit {

// What one struct page says of itself, independent of any dump level. Several may be true.
enum PageFact : uint16_t {
  kPageTail = 1 << 0,        // tail of a compound page: its head speaks for it, nothing else is set
  kPageBuddy = 1 << 1,       // head of a free block of 2^order pages
  kPageUnaccepted = 1 << 2,  // head of a block that the guest has not accepted (TDX, SEV-SNP)
  kPageCache = 1 << 3,       // page cache or swap cache, not anonymous
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
  // A free block whose order is out of range or does not fit its page frame number; the page then
  // is not taken for free.
  bool bad_order = false;

  bool operator==(const PageFacts&) const = default;
};

class PageLayout {
 public:
  // A rule whose keys are missing is switched off (its pages are kept) and named in disabled().
  // Fails only when struct page itself cannot be found: SIZE(page), OFFSET(page.flags) or the
  // mark of tail pages missing.
  static Result<PageLayout> FromFacts(const KernelFacts& facts, ByteOrder order, int word_size,
                                      uint64_t page_size);
  // The same from VMCOREINFO alone.
  static Result<PageLayout> FromVmcoreinfo(const Vmcoreinfo& info, ByteOrder order, int word_size,
                                           uint64_t page_size);

  size_t page_struct_size() const { return rules_.size; }
  // `page` has page_struct_size() bytes; `next` is the struct page of pfn + 1 (compound pages keep
  // their order there), null when it is not in the same view. Cannot fail: all offsets were
  // checked by the factory. `pfn` is for the alignment rule of block heads.
  PageFacts Decode(uint64_t pfn, const std::byte* page, const std::byte* next) const {
    if (word_size_ == 4) return DecodeAs<uint32_t>(pfn, page, next);
    return DecodeAs<uint64_t>(pfn, page, next);
  }

  bool can_tell_free() const { return rules_.buddy.value <= UINT32_MAX; }
  bool can_tell_hwpoison() const { return rules_.hwpoison.mask != 0; }  // NUMBER(PG_hwpoison)
  // Rules that are off: "offline pages: NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE) is missing". Kinds of
  // pages that a kernel may be built without (hwpoison, hugetlb, unaccepted) are not named.
  const std::vector<std::string>& disabled() const { return disabled_; }

 private:
  PageLayout() = default;

  template <typename Word>
  PageFacts DecodeAs(uint64_t pfn, const std::byte* page, const std::byte* next) const;
  template <typename Word>
  bool IsHugetlb(uint32_t mapcount, const std::byte* next) const;
  uint8_t CompoundOrder(uint64_t pfn, const std::byte* next) const;
  void SetFreeOrder(uint64_t pfn, uint64_t order, PageFacts& facts) const;
  template <typename Word>
  uint64_t Load(const std::byte* at) const {
    return LoadUnchecked<Word>(at, order_);
  }

  ByteOrder order_ = ByteOrder::kLittle;
  int word_size_ = 8;
  PageRules rules_;
  std::vector<std::string> disabled_;
};

// Everything below runs once for every page of memory.

inline bool IsAligned(uint64_t pfn, uint64_t order) {
  return order < 64 && (pfn & ((uint64_t{1} << order) - 1)) == 0;
}

inline void PageLayout::SetFreeOrder(uint64_t pfn, uint64_t order, PageFacts& facts) const {
  facts.bad_order = order > rules_.max_order || !IsAligned(pfn, order);
  if (facts.bad_order) {
    facts.bits &= static_cast<uint16_t>(~(kPageBuddy | kPageUnaccepted));
  } else {
    facts.order = static_cast<uint8_t>(order);
  }
}

// The factory switched on the one test of the kernel's time.
template <typename Word>
bool PageLayout::IsHugetlb(uint32_t mapcount, const std::byte* next) const {
  if (rules_.hugetlb_type(mapcount)) return true;
  if (rules_.hugetlb_flag(Load<Word>(next + rules_.flags_at))) return true;
  return rules_.dtor_at != PageRules::kNowhere &&
         std::to_integer<uint8_t>(next[rules_.dtor_at]) == rules_.hugetlb_dtor;
}

// 0 for a head that cannot be one: among them the copies of the head that stand in the place of
// tails where the kernel shares the struct pages of a hugetlb page (HVO).
inline uint8_t PageLayout::CompoundOrder(uint64_t pfn, const std::byte* next) const {
  if (rules_.order_at == PageRules::kNowhere) return 0;
  uint8_t order = std::to_integer<uint8_t>(next[rules_.order_at]);
  return IsAligned(pfn, order) ? order : uint8_t{0};
}

template <typename Word>
PageFacts PageLayout::DecodeAs(uint64_t pfn, const std::byte* page, const std::byte* next) const {
  PageFacts facts;
  auto set = [&facts](PageFact fact, bool value) {
    facts.bits |= static_cast<uint16_t>(value ? fact : 0);
  };
  // The lowest bit of compound_head (compound_info since Linux 7.1) marks a tail, whether the rest
  // is a pointer to the head or a mask.
  set(kPageTail, (Load<Word>(page + rules_.compound_at) & 1) != 0);
  if (facts.bits != 0) return facts;

  uint64_t flags = Load<Word>(page + rules_.flags_at);
  uint32_t mapcount = LoadUnchecked<uint32_t>(page + rules_.mapcount_at, order_);
  bool slab = rules_.slab_type(mapcount) || rules_.slab_flag(flags);
  // Since Linux 6.2 a field of struct slab has the place of page.mapping.
  bool anon = !slab && (Load<Word>(page + rules_.mapping_at) & rules_.anon_mask) != 0;
  set(kPageSlab, slab);
  set(kPageAnon, anon);
  set(kPageCache, !anon && (rules_.lru(flags) || rules_.swap_cache(flags)));
  set(kPagePrivate, rules_.private_data(flags));
  set(kPageHwpoison, rules_.hwpoison(flags));
  set(kPageOffline, !slab && rules_.offline(mapcount));
  if (rules_.head(flags) && next != nullptr) {
    set(kPageHugetlb, IsHugetlb<Word>(mapcount, next));
    facts.order = CompoundOrder(pfn, next);
  }
  if (!slab && rules_.buddy(mapcount)) {
    set(kPageBuddy, true);
    SetFreeOrder(pfn, Load<Word>(page + rules_.private_at), facts);
  } else if (rules_.unaccepted(mapcount)) {
    set(kPageUnaccepted, true);
    SetFreeOrder(pfn, rules_.max_order, facts);
  }
  return facts;
}

}  // namespace kdumpkit
