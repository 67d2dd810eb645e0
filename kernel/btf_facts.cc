// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/btf_facts.h"

#include <algorithm>
#include <array>
#include <string>

namespace kdumpkit {
namespace {

// "KIND(subject)"
struct Key {
  std::string_view kind, subject;
};

std::optional<Key> SplitKey(std::string_view key) {
  size_t open = key.find('(');
  if (open == key.npos || !key.ends_with(')')) return std::nullopt;
  return Key{key.substr(0, open), key.substr(open + 1, key.size() - open - 2)};
}

// "type.member"; the member is empty where there is none.
struct MemberName {
  std::string_view type, member;
};

MemberName SplitMember(std::string_view subject) {
  size_t dot = std::min(subject.find('.'), subject.size());
  return {subject.substr(0, dot), subject.substr(std::min(dot + 1, subject.size()))};
}

bool IsPageType(std::string_view type) {
  constexpr std::array<std::string_view, 5> kTypes = {"page", "folio", "mem_section", "zone",
                                                      "pglist_data"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

// Page types have been an enum since Linux 6.10 (commit ff202303c398, "mm: convert page type macros
// to enum"), and were macros before.
constexpr std::string_view kPageTypes = "pagetype";
// What they are without "PAGE_" and "_MAPCOUNT_VALUE", and in the two kinds of enum.
struct PageTypeName {
  std::string_view key, since_6_12, in_6_10;
};
constexpr PageTypeName kPageTypeNames[] = {
    {"PAGE_BUDDY_MAPCOUNT_VALUE", "PGTY_buddy", "PG_buddy"},
    {"PAGE_OFFLINE_MAPCOUNT_VALUE", "PGTY_offline", "PG_offline"},
    {"PAGE_SLAB_MAPCOUNT_VALUE", "PGTY_slab", "PG_slab"},
    {"PAGE_HUGETLB_MAPCOUNT_VALUE", "PGTY_hugetlb", "PG_hugetlb"},
    {"PAGE_UNACCEPTED_MAPCOUNT_VALUE", "PGTY_unaccepted", "PG_unaccepted"},
};

// The value of page._mapcount: since Linux 6.12 (commit 4ffca5a96678, "mm: support only one
// page_type per page") the type is its highest byte, before it was a bit that is clear.
std::optional<int64_t> PageTypeValue(const Btf& btf, const PageTypeName& name) {
  if (auto type = btf.Enumerator(kPageTypes, name.since_6_12)) {
    return static_cast<int32_t>(static_cast<uint32_t>(*type) << 24);
  }
  if (auto bit = btf.Enumerator(kPageTypes, name.in_6_10)) {
    return static_cast<int32_t>(~static_cast<uint32_t>(*bit));
  }
  return std::nullopt;
}

std::optional<int64_t> NumberFromBtf(const Btf& btf, std::string_view name) {
  for (const PageTypeName& type : kPageTypeNames) {
    if (type.key == name) return PageTypeValue(btf, type);
  }
  if (name == "PG_head_mask") {
    auto bit = btf.Enumerator("pageflags", "PG_head");
    if (!bit || *bit < 0 || *bit > 62) return std::nullopt;
    return int64_t{1} << *bit;
  }
  if (name == "HUGETLB_PAGE_DTOR") return btf.Enumerator("compound_dtor_id", name);
  if (name == "NR_FREE_PAGES") return btf.Enumerator("zone_stat_item", name);
  if (name.starts_with("PG_")) return btf.Enumerator("pageflags", name);
  return std::nullopt;
}

std::optional<uint64_t> OffsetFromBtf(const Btf& btf, const MemberName& name) {
  auto member = btf.FindMember(btf.FindType(name.type), name.member);
  if (!member || member->bit_size != 0 || member->bit_offset % 8 != 0) return std::nullopt;
  return member->bit_offset / 8;
}

std::optional<uint64_t> LengthFromBtf(const Btf& btf, const MemberName& name) {
  auto member = btf.FindMember(btf.FindType(Btf::kStruct, name.type), name.member);
  return member ? btf.ArrayLength(member->type) : std::nullopt;
}

}  // namespace

bool IsPageKey(std::string_view text) {
  std::optional<Key> key = SplitKey(text);
  if (!key) return false;
  if (key->kind == "SYMBOL") {
    return key->subject == "mem_section" || key->subject == "mem_map" ||
           key->subject == "node_data" || key->subject == "contig_page_data";
  }
  if (key->kind == "NUMBER") {
    return key->subject.starts_with("PG_") || key->subject.starts_with("PAGE_") ||
           key->subject == "HUGETLB_PAGE_DTOR" || key->subject == "NR_FREE_PAGES";
  }
  // The length of a variable is in neither source.
  MemberName name = SplitMember(key->subject);
  return IsPageType(name.type) && (key->kind != "LENGTH" || !name.member.empty());
}

std::optional<uint64_t> FactFromBtf(const Btf& btf, std::string_view text) {
  std::optional<Key> key = SplitKey(text);
  if (!key) return std::nullopt;
  MemberName name = SplitMember(key->subject);
  if (key->kind == "SIZE") return btf.SizeOf(btf.FindType(Btf::kStruct, name.type));
  if (key->kind == "OFFSET") return OffsetFromBtf(btf, name);
  if (key->kind == "LENGTH") return LengthFromBtf(btf, name);
  if (key->kind != "NUMBER") return std::nullopt;
  std::optional<int64_t> number = NumberFromBtf(btf, key->subject);
  return number ? std::optional(static_cast<uint64_t>(*number)) : std::nullopt;
}

// The macros PG_buddy 0x80 and PG_offline 0x100 of Linux 5.1 to 6.9: bits that are clear in a field
// which has all bits set for a page of no type.
std::optional<uint64_t> FactFromHistory(const Btf& btf, std::string_view key) {
  bool has_types = btf.FindMember(btf.FindType(Btf::kStruct, "page"), "page_type").has_value();
  if (!has_types || btf.FindType(Btf::kEnum, kPageTypes) != 0) return std::nullopt;
  if (key == "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)") return ~uint64_t{0x80};
  if (key == "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)") return ~uint64_t{0x100};
  return std::nullopt;
}

}  // namespace kdumpkit
