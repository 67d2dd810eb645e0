// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/page_layout.h"

#include <bit>

namespace kdumpkit {
namespace {

// struct page is 32 to 96 bytes on the machines of today.
constexpr uint64_t kMaxPageStruct = 4096;

// Works out the rules one by one; a rule whose facts are missing is noted as off.
class RuleBuilder {
 public:
  RuleBuilder(const Vmcoreinfo& info, ByteOrder order, int word_size, uint64_t page_size)
      : info_(info),
        order_(order),
        word_size_(static_cast<uint32_t>(word_size)),
        page_bits_(std::countr_zero(page_size)) {}

  Result<size_t> Build();
  const PageRules& rules() const { return rules_; }
  std::vector<std::string> TakeDisabled() { return std::move(disabled_); }

 private:
  using FlagTest = PageRules::FlagTest;
  using TypeTest = PageRules::TypeTest;

  // Offset of a member of struct page that has `width` bytes.
  Result<uint32_t> Member(std::string_view member, uint32_t width) const;
  // Offset of a byte in the second struct page of a compound page, given from the struct page (or
  // the folio) of the head on.
  Result<uint32_t> ByteOfNext(std::string_view type, std::string_view member) const;
  Result<FlagTest> Flag(std::string_view name) const;
  Result<TypeTest> Type(std::string_view name) const;

  Status Slab();
  Status Free();
  Status Unaccepted();
  Status Anon();
  Status Cache();
  Status Private();
  Status Hwpoison();
  Status Offline();
  Status Compound();
  Status Hugetlb();
  Status FreeOrderLimit();
  Status CompoundMark();

  void Apply(std::string_view what, Status status);

  const Vmcoreinfo& info_;
  ByteOrder order_;
  uint32_t word_size_;
  int page_bits_;
  uint64_t size_ = 0;
  PageRules rules_;
  std::vector<std::string> disabled_;
};

Result<uint32_t> RuleBuilder::Member(std::string_view member, uint32_t width) const {
  std::optional<uint64_t> offset = info_.Offset("page", member);
  if (!offset) return Unsupported("OFFSET(page.{}) is missing", member);
  if (*offset > size_ || width > size_ - *offset) {
    return Malformed("OFFSET(page.{})={} is outside of struct page", member, *offset);
  }
  return static_cast<uint32_t>(*offset);
}

Result<uint32_t> RuleBuilder::ByteOfNext(std::string_view type, std::string_view member) const {
  std::optional<uint64_t> offset = info_.Offset(type, member);
  if (!offset) return Unsupported("OFFSET({}.{}) is missing", type, member);
  // The second struct page is the second part of struct folio.
  uint64_t base = type == "folio" ? size_ : 0;
  if (*offset < base || *offset - base >= size_) {
    return Malformed("OFFSET({}.{})={} is outside of struct page", type, member, *offset);
  }
  return static_cast<uint32_t>(*offset - base);
}

Result<PageRules::FlagTest> RuleBuilder::Flag(std::string_view name) const {
  std::optional<int64_t> bit = info_.Number(name);
  if (!bit) return Unsupported("NUMBER({}) is missing", name);
  if (*bit < 0 || *bit >= int64_t{word_size_} * 8) {
    return Malformed("NUMBER({})={} is no bit of page.flags", name, *bit);
  }
  uint64_t mask = uint64_t{1} << *bit;
  return FlagTest{mask, mask};
}

Result<PageRules::TypeTest> RuleBuilder::Type(std::string_view name) const {
  std::optional<int64_t> value = info_.Number(name);
  if (!value) return Unsupported("NUMBER({}) is missing", name);
  if (*value < INT32_MIN || *value > int64_t{UINT32_MAX}) {
    return Malformed("NUMBER({})={} does not fit page._mapcount", name, *value);
  }
  TRY(Member("_mapcount", 4));
  return TypeTest{static_cast<uint32_t>(*value)};
}

// A flag until Linux 6.9; a page type since Linux 6.10 (commit 46df8e73a4a3, "mm: free up
// PG_slab").
Status RuleBuilder::Slab() {
  if (info_.Number("PAGE_SLAB_MAPCOUNT_VALUE")) {
    rules_.slab_type = TRY(Type("PAGE_SLAB_MAPCOUNT_VALUE"));
    return {};
  }
  rules_.slab_flag = TRY(Flag("PG_slab"));
  return {};
}

Status RuleBuilder::FreeOrderLimit() {
  // No block can have more pages than there are physical addresses.
  int64_t limit = 64 - page_bits_;
  if (std::optional<uint64_t> orders = info_.Length("zone.free_area")) {
    if (*orders == 0 || *orders > static_cast<uint64_t>(limit)) {
      return Malformed("LENGTH(zone.free_area)={} is impossible", *orders);
    }
    limit = static_cast<int64_t>(*orders);
  }
  rules_.max_order = static_cast<uint8_t>(limit - 1);
  return {};
}

Status RuleBuilder::Free() {
  TypeTest buddy = TRY(Type("PAGE_BUDDY_MAPCOUNT_VALUE"));
  rules_.private_at = TRY(Member("private", word_size_));
  TRY(FreeOrderLimit());
  rules_.buddy = buddy;
  return {};
}

// Since Linux 6.16, on kernels for confidential guests. Such blocks are of the highest order.
Status RuleBuilder::Unaccepted() {
  if (!info_.Number("PAGE_UNACCEPTED_MAPCOUNT_VALUE")) return {};
  if (!info_.Length("zone.free_area")) return Unsupported("LENGTH(zone.free_area) is missing");
  TRY(FreeOrderLimit());
  rules_.unaccepted = TRY(Type("PAGE_UNACCEPTED_MAPCOUNT_VALUE"));
  return {};
}

// Bit 0 of page.mapping: anonymous, together with bit 1 KSM. Without the slab rule slab pages
// would be taken for anonymous.
Status RuleBuilder::Anon() {
  TRY(Slab());
  rules_.mapping_at = TRY(Member("mapping", word_size_));
  rules_.anon_mask = 1;
  return {};
}

// PG_swapcache shares its bit with another flag; it is meant where PG_swapbacked is set too
// (Linux commit 6326fec1122c, "mm: Use owner_priv bit for PageSwapCache, valid when PageSwapBacked"
// (in v4.10)).
Status RuleBuilder::Cache() {
  if (rules_.anon_mask == 0) return Unsupported("user memory cannot be told from it");
  rules_.lru = TRY(Flag("PG_lru"));
  if (!info_.Number("PG_swapcache")) return {};
  FlagTest swap_cache = TRY(Flag("PG_swapcache"));
  if (info_.Number("PG_swapbacked")) {
    swap_cache.mask |= TRY(Flag("PG_swapbacked")).mask;
    swap_cache.want = swap_cache.mask;
  }
  rules_.swap_cache = swap_cache;
  return {};
}

Status RuleBuilder::Private() {
  // Until the key is found every page counts as one with private data, which level 2 keeps.
  rules_.private_data = FlagTest{0, 0};
  rules_.private_data = TRY(Flag("PG_private"));
  return {};
}

Status RuleBuilder::Hwpoison() {
  if (!info_.Number("PG_hwpoison")) return {};
  rules_.hwpoison = TRY(Flag("PG_hwpoison"));
  return {};
}

Status RuleBuilder::Offline() {
  rules_.offline = TRY(Type("PAGE_OFFLINE_MAPCOUNT_VALUE"));
  return {};
}

// Where the order of a compound page is: a byte of its own until Linux 6.5, since then the lowest
// byte of the second page's flags (commit ebc1baf5c9b4, "mm: free up a word in the first tail page"
// (in v6.6)). Kernels of the older kind always export the byte's offset.
Status RuleBuilder::Compound() {
  std::optional<int64_t> head = info_.Number("PG_head_mask");
  if (!head) return Unsupported("NUMBER(PG_head_mask) is missing");
  uint64_t mask = static_cast<uint64_t>(*head);
  if (!std::has_single_bit(mask) || (word_size_ == 4 && mask > UINT32_MAX)) {
    return Malformed("NUMBER(PG_head_mask)={} is not one bit", *head);
  }
  if (info_.Offset("folio", "_folio_order")) {
    rules_.order_at = TRY(ByteOfNext("folio", "_folio_order"));
  } else if (info_.Offset("page", "compound_order")) {
    rules_.order_at = TRY(ByteOfNext("page", "compound_order"));
  } else {
    rules_.order_at = rules_.flags_at + (order_ == ByteOrder::kLittle ? 0 : word_size_ - 1);
  }
  rules_.head = FlagTest{mask, mask};
  return {};
}

// A kernel without any of these keys was built without hugetlb.
Status RuleBuilder::Hugetlb() {
  if (info_.Number("PAGE_HUGETLB_MAPCOUNT_VALUE")) {
    rules_.hugetlb_type = TRY(Type("PAGE_HUGETLB_MAPCOUNT_VALUE"));
  } else if (info_.Number("PG_hugetlb")) {
    rules_.hugetlb_flag = TRY(Flag("PG_hugetlb"));
  } else if (std::optional<int64_t> dtor = info_.Number("HUGETLB_PAGE_DTOR")) {
    if (*dtor < 0 || *dtor > UINT8_MAX) {
      return Malformed("NUMBER(HUGETLB_PAGE_DTOR)={} is not a byte", *dtor);
    }
    bool folio = info_.Offset("folio", "_folio_dtor").has_value();
    rules_.dtor_at =
        folio ? TRY(ByteOfNext("folio", "_folio_dtor")) : TRY(ByteOfNext("page", "compound_dtor"));
    rules_.hugetlb_dtor = static_cast<uint8_t>(*dtor);
  }
  return {};
}

// page.compound_head, renamed to compound_info in Linux 7.1.
Status RuleBuilder::CompoundMark() {
  const char* name = info_.Offset("page", "compound_info") ? "compound_info" : "compound_head";
  rules_.compound_at = TRY(Member(name, word_size_));
  return {};
}

void RuleBuilder::Apply(std::string_view what, Status status) {
  if (!status) disabled_.push_back(fmt::format("{}: {}", what, status.error().message()));
}

Result<size_t> RuleBuilder::Build() {
  size_ = TRY(info_.RequireSize("page"));
  if (size_ < word_size_ || size_ > kMaxPageStruct) return Malformed("SIZE(page)={}", size_);
  rules_.flags_at = TRY(Member("flags", word_size_));
  TRY(CompoundMark());
  // Types are looked for at offset 0 when page._mapcount is not known, and no rule asks for them.
  if (Result<uint32_t> mapcount = Member("_mapcount", 4)) rules_.mapcount_at = *mapcount;
  Apply("free pages", Free());
  Apply("unaccepted memory", Unaccepted());
  Apply("user memory", Anon());
  Apply("page cache", Cache());
  Apply("page cache without private data", Private());
  Apply("failed memory", Hwpoison());
  Apply("offline pages", Offline());
  Apply("compound pages", Compound());
  Apply("hugetlb pages", Hugetlb());
  return static_cast<size_t>(size_);
}

}  // namespace

Result<PageLayout> PageLayout::FromVmcoreinfo(const Vmcoreinfo& info, ByteOrder order,
                                              int word_size, uint64_t page_size) {
  CHECK(word_size == 4 || word_size == 8);
  CHECK(std::has_single_bit(page_size));
  RuleBuilder builder(info, order, word_size, page_size);
  PageLayout layout;
  layout.size_ = TRY(builder.Build().In("struct page"));
  layout.order_ = order;
  layout.word_size_ = word_size;
  layout.rules_ = builder.rules();
  layout.disabled_ = builder.TakeDisabled();
  return layout;
}

}  // namespace kdumpkit
