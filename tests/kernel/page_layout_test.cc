// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/page_layout.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/page_structs.h"

namespace kdumpkit {

// Found by GoogleTest, for messages.
void PrintTo(const PageFacts& facts, std::ostream* out);
void PrintTo(const PageFacts& facts, std::ostream* out) {
  *out << fmt::format("bits 0x{:x} order {}{}", facts.bits, facts.order,
                      facts.bad_order ? " bad" : "");
}

namespace {

constexpr uint64_t kPageSize = 4096;

PageLayout LayoutOf(std::string_view text, const PageStructs& pages) {
  Result<Vmcoreinfo> info = Vmcoreinfo::Parse(text);
  CHECK(info.has_value());
  auto layout = PageLayout::FromVmcoreinfo(*info, pages.order(),
                                           static_cast<int>(pages.word_size()), kPageSize);
  CHECK(layout.has_value());
  return std::move(*layout);
}

// What the page at `index` says when it has page frame number `pfn`.
PageFacts DecodeWith(const PageLayout& layout, const PageStructs& pages, size_t index,
                     uint64_t pfn) {
  bool last = index + 1 >= pages.count();
  return layout.Decode(pfn, pages.at(index), last ? nullptr : pages.at(index + 1));
}

PageFacts Decode(const PageStructs& pages, size_t index, uint64_t pfn) {
  return DecodeWith(LayoutOf(pages.Vmcoreinfo(), pages), pages, index, pfn);
}

PageFacts Decode(const PageStructs& pages, size_t index = 0) { return Decode(pages, index, index); }

PageFacts Facts(int bits, int order = 0) {
  return {static_cast<uint16_t>(bits), static_cast<uint8_t>(order), false};
}

// Every rule on every kind of kernel, byte order and word size.
struct Shape {
  std::string era;
  ByteOrder order;
  size_t word_size;
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << shape.era << (shape.order == ByteOrder::kLittle ? " little-endian " : " big-endian ")
       << shape.word_size * 8;
}

class EachKernel : public testing::TestWithParam<Shape> {
 protected:
  PageStructs pages_{FindEra(GetParam().era), 8, GetParam().order, GetParam().word_size};
  const KernelEra& era_ = FindEra(GetParam().era);
};

TEST_P(EachKernel, EveryRuleIsOn) {
  EXPECT_TRUE(LayoutOf(pages_.Vmcoreinfo(), pages_).disabled().empty());
  EXPECT_TRUE(LayoutOf(pages_.Vmcoreinfo(), pages_).can_tell_free());
  EXPECT_TRUE(LayoutOf(pages_.Vmcoreinfo(), pages_).can_tell_hwpoison());
  EXPECT_EQ(LayoutOf(pages_.Vmcoreinfo(), pages_).page_struct_size(), pages_.struct_size());
}

TEST_P(EachKernel, KernelPageHasNoFacts) { EXPECT_EQ(Decode(pages_), Facts(0)); }

TEST_P(EachKernel, FreeBlock) {
  pages_.Free(0, 3);
  EXPECT_EQ(Decode(pages_), Facts(kPageBuddy, 3));
}

TEST_P(EachKernel, FreeSinglePage) {
  pages_.Free(3, 0);
  EXPECT_EQ(Decode(pages_, 3), Facts(kPageBuddy));
}

TEST_P(EachKernel, FileCache) {
  pages_.FileCache(0);
  EXPECT_EQ(Decode(pages_), Facts(kPageCache));
}

TEST_P(EachKernel, FileCacheWithPrivateData) {
  pages_.FileCache(0);
  pages_.Private(0);
  EXPECT_EQ(Decode(pages_), Facts(kPageCache | kPagePrivate));
}

TEST_P(EachKernel, SwapCacheNeedsBothFlags) {
  pages_.SwapCache(0);
  EXPECT_EQ(Decode(pages_), Facts(kPageCache));
  pages_.SetFlag(1, era_.swapcache);
  EXPECT_EQ(Decode(pages_, 1), Facts(0));
}

TEST_P(EachKernel, AnonymousIsNotCache) {
  pages_.Anonymous(0);
  EXPECT_EQ(Decode(pages_), Facts(kPageAnon));
}

TEST_P(EachKernel, AnonymousInSwapCacheIsNotCache) {
  pages_.Anonymous(0);
  pages_.SwapCache(0);
  EXPECT_EQ(Decode(pages_), Facts(kPageAnon));
}

TEST_P(EachKernel, KsmCountsAsAnonymous) {
  pages_.Ksm(0);
  EXPECT_EQ(Decode(pages_), Facts(kPageAnon));
}

TEST_P(EachKernel, MovableMappingIsNotAnonymous) {
  pages_.SetMapping(0, 0x1002);
  EXPECT_EQ(Decode(pages_), Facts(0));
}

TEST_P(EachKernel, SlabIsNotAnonymous) {
  pages_.Slab(0);
  EXPECT_EQ(Decode(pages_), Facts(kPageSlab));
}

TEST_P(EachKernel, Offline) {
  pages_.Offline(0);
  EXPECT_EQ(Decode(pages_), Facts(kPageOffline));
}

TEST_P(EachKernel, Hwpoison) {
  pages_.Hwpoison(0);
  EXPECT_EQ(Decode(pages_), Facts(kPageHwpoison));
  pages_.Anonymous(0);
  EXPECT_EQ(Decode(pages_), Facts(kPageHwpoison | kPageAnon));
}

TEST_P(EachKernel, CompoundPage) {
  pages_.Compound(0, 2);
  pages_.Anonymous(0);
  EXPECT_EQ(Decode(pages_), Facts(kPageAnon, 2));
  for (size_t tail = 1; tail < 4; ++tail) EXPECT_EQ(Decode(pages_, tail), Facts(kPageTail));
  EXPECT_EQ(Decode(pages_, 4), Facts(0));
}

TEST_P(EachKernel, TailSaysNothingElse) {
  pages_.Compound(0, 3);
  pages_.Anonymous(2);
  pages_.Free(3, 0);
  EXPECT_EQ(Decode(pages_, 2), Facts(kPageTail));
  EXPECT_EQ(Decode(pages_, 3), Facts(kPageTail));
}

TEST_P(EachKernel, Hugetlb) {
  pages_.Hugetlb(0, 9);
  EXPECT_EQ(Decode(pages_), Facts(kPageHugetlb, 9));
}

TEST_P(EachKernel, HugetlbOfOneGiB) {
  pages_.Hugetlb(0, 18);
  EXPECT_EQ(Decode(pages_, 0, uint64_t{1} << 18), Facts(kPageHugetlb, 18));
}

TEST_P(EachKernel, CompoundPageIsNotHugetlb) {
  pages_.Compound(0, 9);
  EXPECT_EQ(Decode(pages_), Facts(0, 9));
}

// With HVO, tails may be read from the struct pages of the head.
TEST_P(EachKernel, CopyOfAHeadInThePlaceOfATailIsOnePage) {
  pages_.Hugetlb(0, 9);
  EXPECT_EQ(Decode(pages_, 0, 512 + 64), Facts(kPageHugetlb));
}

TEST_P(EachKernel, ImpossibleOrderIsZero) {
  pages_.Compound(0, 64);
  EXPECT_EQ(Decode(pages_), Facts(0));
}

TEST_P(EachKernel, CompoundPageMustBeAligned) {
  pages_.Compound(0, 3);
  EXPECT_EQ(Decode(pages_, 0, 4), Facts(0));
}

TEST_P(EachKernel, HeadWhoseNextPageIsOutOfViewIsOnePage) {
  pages_.Compound(7, 9);
  EXPECT_EQ(Decode(pages_, 7, 512), Facts(0));
}

TEST_P(EachKernel, OrderIsReadOfHeadsOnly) {
  pages_.Compound(0, 9);
  PageStructs plain(era_, 2, GetParam().order, GetParam().word_size);
  plain.FileCache(0);
  plain.SetFlag(1, 0);  // where a compound page would have order 1
  EXPECT_EQ(Decode(plain), Facts(kPageCache));
}

TEST_P(EachKernel, FreeOrderBeyondTheFreeAreaIsBad) {
  pages_.Free(0, 11);
  EXPECT_EQ(Decode(pages_), (PageFacts{0, 0, true}));
  pages_.Free(0, 10);
  EXPECT_EQ(Decode(pages_), Facts(kPageBuddy, 10));
}

TEST_P(EachKernel, FreeOrderIsReadAsAWholeWord) {
  pages_.Free(0, 0x80000003);
  EXPECT_TRUE(Decode(pages_).bad_order);
}

TEST_P(EachKernel, FreeBlockMustBeAligned) {
  pages_.Free(0, 3);
  EXPECT_EQ(Decode(pages_, 0, 8 + 4), (PageFacts{0, 0, true}));
}

TEST_P(EachKernel, TypeIsComparedAsAWhole) {
  pages_.SetMapcount(0, era_.buddy ^ 1);
  EXPECT_EQ(Decode(pages_), Facts(0));
}

TEST_P(EachKernel, MappedPageHasNoType) {
  for (int64_t count : {0, 1, 511}) {
    pages_.SetMapcount(0, count);
    EXPECT_EQ(Decode(pages_), Facts(0));
  }
}

std::vector<Shape> Shapes() {
  std::vector<Shape> shapes;
  for (const KernelEra& era : KernelEras()) {
    for (ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
      for (size_t word : {size_t{4}, size_t{8}}) shapes.push_back({era.name, order, word});
    }
  }
  return shapes;
}

std::string ShapeName(const testing::TestParamInfo<Shape>& info) {
  std::string name =
      fmt::format("v{}_{}{}", info.param.era, info.param.order == ByteOrder::kLittle ? "le" : "be",
                  info.param.word_size * 8);
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Kernels, EachKernel, testing::ValuesIn(Shapes()), ShapeName);

// Rules of some kernels only.

TEST(PageLayout, SlabFlagKeepsOtherRulesAway) {
  PageStructs pages(FindEra("6.6"), 1);
  pages.SetFlag(0, FindEra("6.6").slab_flag);
  pages.Free(0, 0);
  EXPECT_EQ(Decode(pages), Facts(kPageSlab));
  pages.Offline(0);
  EXPECT_EQ(Decode(pages), Facts(kPageSlab));
}

// Bit 7 is PG_waiters since Linux 6.10, when PG_slab was no longer a flag.
TEST(PageLayout, WaitersAreNotSlab) {
  PageStructs pages(FindEra("6.12"), 1);
  pages.Anonymous(0);
  pages.SetFlag(0, 7);
  EXPECT_EQ(Decode(pages), Facts(kPageAnon));
}

TEST(PageLayout, UnacceptedBlockHasTheHighestOrder) {
  PageStructs pages(FindEra("7.1"), 1);
  pages.Unaccepted(0);
  EXPECT_EQ(Decode(pages, 0, 1024), Facts(kPageUnaccepted, 10));
  EXPECT_EQ(Decode(pages, 0, 1025), (PageFacts{0, 0, true}));
}

// With HVO, Linux 7.1 keeps a mask in compound_info; only bit 0 tells tails.
TEST(PageLayout, CompoundInfoMayBeAMask) {
  PageStructs pages(FindEra("7.1"), 2);
  pages.SetCompoundHead(0, 0xffffffffffffff01);
  pages.SetCompoundHead(1, 0xffffffffffffff00);
  EXPECT_EQ(Decode(pages, 0), Facts(kPageTail));
  EXPECT_EQ(Decode(pages, 1), Facts(0));
}

TEST(PageLayout, SwapCacheAloneCountsWhereThereIsNoSwapBackedKey) {
  KernelEra era = FindEra("5.10");
  int swapbacked = std::exchange(era.swapbacked, -1);
  ASSERT_GE(swapbacked, 0);
  PageStructs pages(era, 1);
  pages.SetFlag(0, era.swapcache);
  EXPECT_EQ(Decode(pages), Facts(kPageCache));
}

TEST(PageLayout, KernelBuiltWithoutFailedMemoryHugetlbAndUnaccepted) {
  KernelEra era = FindEra("7.1");
  era.hwpoison = -1;
  era.hugetlb_type = era.unaccepted = 0;
  PageStructs pages(era, 2);
  PageLayout layout = LayoutOf(pages.Vmcoreinfo(), pages);
  EXPECT_TRUE(layout.disabled().empty());
  EXPECT_FALSE(layout.can_tell_hwpoison());
  pages.Compound(0, 1);
  EXPECT_EQ(DecodeWith(layout, pages, 0, 0), Facts(0, 1));
}

}  // namespace
}  // namespace kdumpkit
