// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/page_rules.h"

#include <bit>

#include "kernel/page_keys.h"

namespace kdumpkit {
namespace {

using FlagTest = PageRules::FlagTest;
using TypeTest = PageRules::TypeTest;

// Works out the rules one by one; a rule whose facts are missing is noted as off.
class RuleBuilder {
 public:
  RuleBuilder(const PageKeys& keys, ByteOrder order, uint64_t page_size)
      : keys_(keys), order_(order), page_bits_(std::countr_zero(page_size)) {}

  Result<WorkedOutRules> Build();

 private:
  Status CompoundMark();
  Status Slab();
  Status FreeOrderLimit();
  Status Free();
  Status Unaccepted();
  Status Anon();
  Status Cache();
  Status Private();
  Status Hwpoison();
  Status Offline();
  Status Compound();
  Status Hugetlb();

  void Apply(std::string_view what, Status status);

  const PageKeys& keys_;
  ByteOrder order_;
  int page_bits_;
  PageRules rules_;
  std::vector<std::string> disabled_;
};

// A flag until Linux 6.9; a page type since Linux 6.10 (commit 46df8e73a4a3, "mm: free up
// PG_slab").
Status RuleBuilder::Slab() {
  if (keys_.facts().HasNumber("PAGE_SLAB_MAPCOUNT_VALUE")) {
    rules_.slab_type = TRY(keys_.Type("PAGE_SLAB_MAPCOUNT_VALUE"));
    return {};
  }
  rules_.slab_flag = TRY(keys_.Flag("PG_slab"));
  return {};
}

Status RuleBuilder::FreeOrderLimit() {
  // No block can have more pages than there are physical addresses.
  int64_t limit = 64 - page_bits_;
  if (keys_.facts().HasLength("zone.free_area")) {
    uint64_t orders = TRY(keys_.facts().Length("zone.free_area"));
    if (orders == 0 || orders > static_cast<uint64_t>(limit)) {
      return Malformed("LENGTH(zone.free_area)={} is impossible", orders);
    }
    limit = static_cast<int64_t>(orders);
  }
  rules_.max_order = static_cast<uint8_t>(limit - 1);
  return {};
}

Status RuleBuilder::Free() {
  TypeTest buddy = TRY(keys_.Type("PAGE_BUDDY_MAPCOUNT_VALUE"));
  rules_.private_at = TRY(keys_.Member("private", keys_.word_size()));
  TRY(FreeOrderLimit());
  rules_.buddy = buddy;
  return {};
}

// Since Linux 6.16, on kernels for confidential guests. Such blocks are of the highest order.
Status RuleBuilder::Unaccepted() {
  if (!keys_.facts().HasNumber("PAGE_UNACCEPTED_MAPCOUNT_VALUE")) return {};
  TRY(keys_.facts().Length("zone.free_area"));
  TRY(FreeOrderLimit());
  rules_.unaccepted = TRY(keys_.Type("PAGE_UNACCEPTED_MAPCOUNT_VALUE"));
  return {};
}

// Bit 0 of page.mapping: anonymous, together with bit 1 KSM. Without the slab rule slab pages
// would be taken for anonymous.
Status RuleBuilder::Anon() {
  TRY(Slab());
  rules_.mapping_at = TRY(keys_.Member("mapping", keys_.word_size()));
  rules_.anon_mask = 1;
  return {};
}

// PG_swapcache shares its bit with another flag; it is meant where PG_swapbacked is set too
// (Linux commit 6326fec1122c, "mm: Use owner_priv bit for PageSwapCache, valid when PageSwapBacked"
// (in v4.10)).
Status RuleBuilder::Cache() {
  if (rules_.anon_mask == 0) return Unsupported("user memory cannot be told from it");
  FlagTest lru = TRY(keys_.Flag("PG_lru"));
  if (keys_.facts().HasNumber("PG_swapcache")) {
    FlagTest test = TRY(keys_.Flag("PG_swapcache"));
    if (keys_.facts().HasNumber("PG_swapbacked"))
      test.mask |= TRY(keys_.Flag("PG_swapbacked")).mask;
    rules_.swap_cache = FlagTest{test.mask, test.mask};
  }
  rules_.lru = lru;
  return {};
}

Status RuleBuilder::Private() {
  // Until the key is found every page counts as one with private data, which level 2 keeps.
  rules_.private_data = FlagTest{0, 0};
  rules_.private_data = TRY(keys_.Flag("PG_private"));
  return {};
}

Status RuleBuilder::Hwpoison() {
  if (!keys_.facts().HasNumber("PG_hwpoison")) return {};
  rules_.hwpoison = TRY(keys_.Flag("PG_hwpoison"));
  return {};
}

Status RuleBuilder::Offline() {
  rules_.offline = TRY(keys_.Type("PAGE_OFFLINE_MAPCOUNT_VALUE"));
  return {};
}

// Where the order of a compound page is: a byte of its own until Linux 6.5, since then the lowest
// byte of the second page's flags (commit ebc1baf5c9b4, "mm: free up a word in the first tail page"
// (in v6.6)). Kernels of the older kind always export the byte's offset.
Status RuleBuilder::Compound() {
  int64_t head = TRY(keys_.facts().Number("PG_head_mask"));
  uint64_t mask = static_cast<uint64_t>(head);
  if (!std::has_single_bit(mask) || (keys_.word_size() == 4 && mask > UINT32_MAX)) {
    return Malformed("NUMBER(PG_head_mask)={} is not one bit", head);
  }
  if (keys_.facts().HasOffset("folio", "_folio_order")) {
    rules_.order_at = TRY(keys_.ByteOfNext("folio", "_folio_order"));
  } else if (keys_.facts().HasOffset("page", "compound_order")) {
    rules_.order_at = TRY(keys_.ByteOfNext("page", "compound_order"));
  } else {
    rules_.order_at = rules_.flags_at + (order_ == ByteOrder::kLittle ? 0 : keys_.word_size() - 1);
  }
  rules_.head = FlagTest{mask, mask};
  return {};
}

// A kernel without any of these keys was built without hugetlb.
Status RuleBuilder::Hugetlb() {
  if (keys_.facts().HasNumber("PAGE_HUGETLB_MAPCOUNT_VALUE")) {
    rules_.hugetlb_type = TRY(keys_.Type("PAGE_HUGETLB_MAPCOUNT_VALUE"));
  } else if (keys_.facts().HasNumber("PG_hugetlb")) {
    rules_.hugetlb_flag = TRY(keys_.Flag("PG_hugetlb"));
  } else if (keys_.facts().HasNumber("HUGETLB_PAGE_DTOR")) {
    int64_t dtor = TRY(keys_.facts().Number("HUGETLB_PAGE_DTOR"));
    if (dtor < 0 || dtor > UINT8_MAX) {
      return Malformed("NUMBER(HUGETLB_PAGE_DTOR)={} is not a byte", dtor);
    }
    bool folio = keys_.facts().HasOffset("folio", "_folio_dtor");
    rules_.dtor_at = folio ? TRY(keys_.ByteOfNext("folio", "_folio_dtor"))
                           : TRY(keys_.ByteOfNext("page", "compound_dtor"));
    rules_.hugetlb_dtor = static_cast<uint8_t>(dtor);
  }
  return {};
}

// page.compound_head, renamed to compound_info in Linux 7.1.
Status RuleBuilder::CompoundMark() {
  bool renamed = keys_.facts().HasOffset("page", "compound_info");
  rules_.compound_at = renamed ? TRY(keys_.Member("compound_info", keys_.word_size()))
                               : TRY(keys_.Member("compound_head", keys_.word_size()));
  return {};
}

void RuleBuilder::Apply(std::string_view what, Status status) {
  if (!status) disabled_.push_back(fmt::format("{}: {}", what, status.error().message()));
}

Result<WorkedOutRules> RuleBuilder::Build() {
  rules_.size = keys_.size();
  rules_.flags_at = TRY(keys_.Member("flags", keys_.word_size()));
  TRY(CompoundMark());
  // Without it no rule asks for types, and the field is read at offset 0 for nothing.
  rules_.mapcount_at = keys_.Member("_mapcount", 4).value_or(0);
  Apply("free pages", Free());
  Apply("unaccepted memory", Unaccepted());
  Apply("user memory", Anon());
  Apply("page cache", Cache());
  Apply("page cache without private data", Private());
  Apply("failed memory", Hwpoison());
  Apply("offline pages", Offline());
  Apply("compound pages", Compound());
  Apply("hugetlb pages", Hugetlb());
  return WorkedOutRules{rules_, std::move(disabled_)};
}

}  // namespace

Result<WorkedOutRules> WorkOutPageRules(const KernelFacts& facts, ByteOrder order, int word_size,
                                        uint64_t page_size) {
  CHECK(word_size == 4 || word_size == 8);
  CHECK(std::has_single_bit(page_size));
  PageKeys keys = TRY(PageKeys::Make(facts, word_size).In("struct page"));
  return RuleBuilder(keys, order, page_size).Build().In("struct page");
}

}  // namespace kdumpkit
