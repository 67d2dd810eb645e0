// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/page_structs.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace kdumpkit {
namespace {

constexpr size_t kFlags = 0, kCompoundHead = 1, kMapping = 3, kPrivate = 5, kMapcount = 6;
// Bytes of the third word of the second page, where such kernels keep them.
constexpr size_t kDtor = 2, kOrder = 2;
constexpr uint8_t kHugetlbDtor = 2;

constexpr KernelEra::Compound kPageBytes = KernelEra::Compound::kPageBytes;
constexpr KernelEra::Compound kFolioBytes = KernelEra::Compound::kFolioBytes;
constexpr KernelEra::Compound kFlagsByte = KernelEra::Compound::kFlags;

std::vector<KernelEra> MakeEras() {
  KernelEra v5_10{.name = "5.10",
                  .compound = kPageBytes,
                  .lru = 4,
                  .private_data = 13,
                  .swapcache = 10,
                  .swapbacked = 19,
                  .hwpoison = 23,
                  .head = 16,
                  .slab_flag = 9,
                  .buddy = -129,
                  .offline = -257};
  KernelEra v6_3 = v5_10;
  v6_3.name = "6.3";
  v6_3.compound = kFolioBytes;
  KernelEra v6_6 = v6_3;
  v6_6.name = "6.6";
  v6_6.compound = kFlagsByte;
  v6_6.hugetlb_flag = 8;
  KernelEra v6_9 = v6_6;
  v6_9.name = "6.9";
  v6_9.hugetlb_flag = -1;
  v6_9.hugetlb_type = -2049;
  KernelEra v6_11 = v6_9;
  v6_11.name = "6.11";
  v6_11.slab_flag = -1;
  v6_11.buddy = ~int64_t{0x40000000};
  v6_11.offline = ~int64_t{0x20000000};
  v6_11.hugetlb_type = ~int64_t{0x04000000};
  v6_11.slab_type = ~int64_t{0x02000000};
  KernelEra v6_12{.name = "6.12",
                  .compound = kFlagsByte,
                  .lru = 5,
                  .private_data = 14,
                  .swapcache = 10,
                  .swapbacked = 17,
                  .hwpoison = 20,
                  .head = 6,
                  .buddy = -0x10000000,
                  .offline = -0x0f000000,
                  .slab_type = -0x0b000000,
                  .hugetlb_type = -0x0c000000};
  KernelEra v7_1 = v6_12;
  v7_1.name = "7.1";
  v7_1.unaccepted = -0x09000000;
  v7_1.compound_head = "compound_info";
  return {v5_10, v6_3, v6_6, v6_9, v6_11, v6_12, v7_1};
}

}  // namespace

const std::vector<KernelEra>& KernelEras() {
  static const std::vector<KernelEra> eras = MakeEras();
  return eras;
}

const KernelEra& FindEra(std::string_view name) {
  auto found = std::find_if(KernelEras().begin(), KernelEras().end(),
                            [name](const KernelEra& era) { return era.name == name; });
  CHECK(found != KernelEras().end());
  return *found;
}

PageStructs::PageStructs(const KernelEra& era, size_t count, ByteOrder order, size_t word_size)
    : era_(era), order_(order), word_(word_size), bytes_(count * 8 * word_size) {
  // A page that nobody maps has a count of -1.
  for (size_t page = 0; page < count; ++page) SetMapcount(page, -1);
}

std::string PageStructs::Vmcoreinfo() const {
  std::string text = fmt::format("SIZE(page)={}\nLENGTH(zone.free_area)=11\n", struct_size());
  auto offset = [&](const char* member, size_t bytes) {
    text += fmt::format("OFFSET({})={}\n", member, bytes);
  };
  auto number = [&](const char* name, int64_t value, int64_t absent) {
    if (value != absent) text += fmt::format("NUMBER({})={}\n", name, value);
  };
  offset("page.flags", 0);
  offset(fmt::format("page.{}", era_.compound_head).c_str(), kCompoundHead * word_);
  offset("page.mapping", kMapping * word_);
  offset("page.private", kPrivate * word_);
  offset("page._mapcount", kMapcount * word_);
  if (era_.compound == kPageBytes) {
    offset("page.compound_dtor", kDtor * word_);
    offset("page.compound_order", kOrder * word_ + 1);
  } else if (era_.compound == kFolioBytes) {
    offset("folio._folio_dtor", struct_size() + kDtor * word_);
    offset("folio._folio_order", struct_size() + kOrder * word_ + 1);
  }
  if (era_.compound != kFlagsByte) number("HUGETLB_PAGE_DTOR", kHugetlbDtor, -1);
  number("PG_lru", era_.lru, -1);
  number("PG_private", era_.private_data, -1);
  number("PG_swapcache", era_.swapcache, -1);
  number("PG_swapbacked", era_.swapbacked, -1);
  number("PG_hwpoison", era_.hwpoison, -1);
  number("PG_head_mask", int64_t{1} << era_.head, -1);
  number("PG_slab", era_.slab_flag, -1);
  number("PG_hugetlb", era_.hugetlb_flag, -1);
  number("PAGE_BUDDY_MAPCOUNT_VALUE", era_.buddy, 0);
  number("PAGE_OFFLINE_MAPCOUNT_VALUE", era_.offline, 0);
  number("PAGE_SLAB_MAPCOUNT_VALUE", era_.slab_type, 0);
  number("PAGE_HUGETLB_MAPCOUNT_VALUE", era_.hugetlb_type, 0);
  number("PAGE_UNACCEPTED_MAPCOUNT_VALUE", era_.unaccepted, 0);
  return text;
}

void PageStructs::Anonymous(size_t page) {
  SetFlag(page, era_.lru);
  SetFlag(page, era_.swapbacked);
  SetMapping(page, 0x1001);
}

void PageStructs::Ksm(size_t page) {
  Anonymous(page);
  SetMapping(page, 0x1003);
}

void PageStructs::FileCache(size_t page) {
  SetFlag(page, era_.lru);
  SetMapping(page, 0x1000);
}

void PageStructs::SwapCache(size_t page) {
  SetFlag(page, era_.swapcache);
  SetFlag(page, era_.swapbacked);
}

void PageStructs::Private(size_t page) { SetFlag(page, era_.private_data); }

void PageStructs::Slab(size_t page) {
  if (era_.slab_flag >= 0) SetFlag(page, era_.slab_flag);
  if (era_.slab_type != 0) SetMapcount(page, era_.slab_type);
  SetMapping(page, 1);  // a number of slabs, from Linux 6.2 on
}

void PageStructs::Free(size_t page, uint64_t order) {
  SetMapcount(page, era_.buddy);
  PutWord(page, kPrivate, order);
}

void PageStructs::Offline(size_t page) { SetMapcount(page, era_.offline); }

void PageStructs::Unaccepted(size_t page) {
  CHECK(era_.unaccepted != 0);
  SetMapcount(page, era_.unaccepted);
}

void PageStructs::Hwpoison(size_t page) { SetFlag(page, era_.hwpoison); }

void PageStructs::Compound(size_t page, uint8_t order) {
  SetFlag(page, era_.head);
  size_t end = order < 32 ? std::min(count(), page + (size_t{1} << order)) : count();
  for (size_t tail = page + 1; tail < end; ++tail) SetCompoundHead(tail, 0x1001);
  if (page + 1 >= count()) return;
  if (era_.compound == kFlagsByte) {
    PutWord(page + 1, kFlags, Word(page + 1, kFlags) | order);
  } else {
    bytes_[(page + 1) * struct_size() + kOrder * word_ + 1] = std::byte{order};
  }
}

void PageStructs::Hugetlb(size_t page, uint8_t order) {
  Compound(page, order);
  if (era_.hugetlb_type != 0) SetMapcount(page, era_.hugetlb_type);
  if (page + 1 >= count()) return;
  if (era_.hugetlb_flag >= 0) SetFlag(page + 1, era_.hugetlb_flag);
  if (era_.compound != kFlagsByte) {
    bytes_[(page + 1) * struct_size() + kDtor * word_] = std::byte{kHugetlbDtor};
  }
}

void PageStructs::SetFlag(size_t page, int bit) {
  PutWord(page, kFlags, Word(page, kFlags) | uint64_t{1} << bit);
}

void PageStructs::SetMapcount(size_t page, int64_t value) {
  StoreUnchecked(bytes_.data() + page * struct_size() + kMapcount * word_,
                 static_cast<uint32_t>(value), order_);
}

void PageStructs::SetMapping(size_t page, uint64_t value) { PutWord(page, kMapping, value); }

void PageStructs::SetCompoundHead(size_t page, uint64_t value) {
  PutWord(page, kCompoundHead, value);
}

uint64_t PageStructs::Word(size_t page, size_t index) const {
  const std::byte* at = bytes_.data() + page * struct_size() + index * word_;
  return word_ == 8 ? LoadUnchecked<uint64_t>(at, order_) : LoadUnchecked<uint32_t>(at, order_);
}

void PageStructs::PutWord(size_t page, size_t index, uint64_t value) {
  std::byte* at = bytes_.data() + page * struct_size() + index * word_;
  if (word_ == 8) {
    StoreUnchecked(at, value, order_);
  } else {
    StoreUnchecked(at, static_cast<uint32_t>(value), order_);
  }
}

}  // namespace kdumpkit
