// SPDX-License-Identifier: GPL-2.0-or-later
// The policy: which classes of pages a dump level leaves out (docs/page-classes.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "kernel/page_layout.h"

namespace kdumpkit {

// Bits of a dump level, as makedumpfile(8) has them.
enum DumpLevelBit : int {
  kLevelZero = 1,
  kLevelCache = 2,         // page cache without private data
  kLevelCachePrivate = 4,  // all page cache
  kLevelUser = 8,          // anonymous and hugetlb memory of processes
  kLevelFree = 16,
};
inline constexpr int kMaxDumpLevel = 31;

enum class PageClass : uint8_t {
  kKernel,  // everything that no level leaves out
  kCache,
  kCachePrivate,
  kUser,
  kFree,
  kUnaccepted,
  kHwpoison,
  kOffline,
};
inline constexpr size_t kPageClassCount = 8;
// "kernel", "cache", "cache-private", "user", "free", "unaccepted", "hwpoison", "offline".
std::string_view PageClassName(PageClass page_class);

// What to do with the block of pages that one struct page speaks for.
struct Verdict {
  PageClass page_class = PageClass::kKernel;  // what it is, whatever the level
  bool drop = false;
  uint8_t order = 0;  // the block is 2^order pages, beginning with this one
};

class DumpLevel {
 public:
  // Absent unless 0 <= bits <= 31.
  static std::optional<DumpLevel> Make(int bits);

  int bits() const { return bits_; }
  bool Has(DumpLevelBit bit) const { return (bits_ & bit) != 0; }
  // True when this level needs struct pages looked at. Failed and offline memory is left out at
  // every level, provided the kernel says how to tell it (as makedumpfile does).
  bool NeedsScan(const PageLayout& layout) const;

  Verdict Judge(const PageFacts& facts) const {
    Verdict verdict = table_[facts.bits];
    if (facts.bad_order) return {};
    // Only the buddy and unaccepted rules speak of a free block; for the others the order of a
    // page that also looks free means nothing.
    verdict.order = OrderApplies(verdict.page_class, facts.bits) ? facts.order : uint8_t{0};
    return verdict;
  }

 private:
  explicit DumpLevel(int bits);
  static bool OrderApplies(PageClass page_class, uint16_t bits) {
    bool block_order = (bits & (kPageBuddy | kPageUnaccepted)) != 0;
    bool block_class = page_class == PageClass::kFree || page_class == PageClass::kUnaccepted;
    return block_order == block_class;
  }

  int bits_;
  std::array<Verdict, size_t{1} << kPageFactBits> table_;
};

}  // namespace kdumpkit
