// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/dump_level.h"

namespace kdumpkit {
namespace {

// The class that makes `level` leave out a page with these facts; absent when it is kept. The
// order of the rules is makedumpfile's: a page may have several facts, the first rule wins.
std::optional<PageClass> DropClass(uint16_t facts, int level) {
  auto has = [facts](PageFact fact) { return (facts & fact) != 0; };
  bool file_cache = has(kPageCache) && !has(kPageAnon);
  if (has(kPageTail)) return std::nullopt;
  if ((level & kLevelFree) && has(kPageBuddy)) return PageClass::kFree;
  if ((level & kLevelFree) && has(kPageUnaccepted)) return PageClass::kUnaccepted;
  if ((level & kLevelCache) && file_cache && !has(kPagePrivate)) return PageClass::kCache;
  if ((level & kLevelCachePrivate) && file_cache)
    return has(kPagePrivate) ? PageClass::kCachePrivate : PageClass::kCache;
  if ((level & kLevelUser) && (has(kPageAnon) || has(kPageHugetlb))) return PageClass::kUser;
  if (has(kPageHwpoison)) return PageClass::kHwpoison;
  if (has(kPageOffline)) return PageClass::kOffline;
  return std::nullopt;
}

}  // namespace

std::string_view PageClassName(PageClass page_class) {
  constexpr std::array<std::string_view, kPageClassCount> kNames = {
      "kernel", "cache", "cache-private", "user", "free", "unaccepted", "hwpoison", "offline"};
  return kNames[static_cast<size_t>(page_class)];
}

DumpLevel::DumpLevel(int bits) : bits_(bits) {
  for (size_t facts = 0; facts < table_.size(); ++facts) {
    uint16_t mask = static_cast<uint16_t>(facts);
    std::optional<PageClass> dropped = DropClass(mask, bits);
    table_[facts].drop = dropped.has_value();
    // A kept page is named after the rule that the highest level would apply.
    table_[facts].page_class =
        dropped ? *dropped : DropClass(mask, kMaxDumpLevel).value_or(PageClass::kKernel);
  }
}

std::optional<DumpLevel> DumpLevel::Make(int bits) {
  if (bits < 0 || bits > kMaxDumpLevel) return std::nullopt;
  return DumpLevel(bits);
}

bool DumpLevel::NeedsScan(const PageLayout& layout) const {
  if ((bits_ & (kLevelCache | kLevelCachePrivate | kLevelUser)) != 0) return true;
  return layout.can_tell_hwpoison() || (Has(kLevelFree) && layout.can_tell_free());
}

}  // namespace kdumpkit
