// SPDX-License-Identifier: GPL-2.0-or-later
// Missing and wrong keys: VMCOREINFO of a kernel with one line taken out or changed.
#include "kernel/page_rules.h"

#include <gtest/gtest.h>

#include "kernel/page_layout.h"
#include "tests/support/page_structs.h"

namespace kdumpkit {
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

PageFacts Facts(int bits, int order = 0) {
  return {static_cast<uint16_t>(bits), static_cast<uint8_t>(order), false};
}

// All on a 6.12 kernel.
class PageRulesKeys : public testing::Test {
 protected:
  PageRulesKeys() : pages_(FindEra("6.12"), 2) {}

  std::string Without(const std::string& key) const { return With(key, std::nullopt); }
  std::string With(const std::string& key, std::optional<std::string> value) const {
    std::string text = pages_.Vmcoreinfo();
    size_t at = text.find(key + "=");
    CHECK(at != std::string::npos);
    size_t length = text.find('\n', at) + 1 - at;
    return text.replace(at, length, value ? key + "=" + *value + "\n" : "");
  }
  std::vector<std::string> Disabled(const std::string& text) const {
    return LayoutOf(text, pages_).disabled();
  }
  std::string Failure(const std::string& text) const {
    auto layout =
        PageLayout::FromVmcoreinfo(*Vmcoreinfo::Parse(text), ByteOrder::kLittle, 8, kPageSize);
    return layout ? "no failure" : layout.error().message();
  }
  PageFacts DecodeText(const std::string& text) const {
    return LayoutOf(text, pages_).Decode(0, pages_.at(0), pages_.at(1));
  }
  using Lines = std::vector<std::string>;

  PageStructs pages_;
};

TEST_F(PageRulesKeys, StructPageItselfIsNeeded) {
  EXPECT_EQ(Failure(Without("SIZE(page)")), "struct page: SIZE(page) is missing");
  EXPECT_EQ(Failure(Without("OFFSET(page.flags)")), "struct page: OFFSET(page.flags) is missing");
  EXPECT_EQ(Failure(Without("OFFSET(page.compound_head)")),
            "struct page: OFFSET(page.compound_head) is missing");
}

TEST_F(PageRulesKeys, StructPageMustBeOfASaneSize) {
  EXPECT_EQ(Failure(With("SIZE(page)", "0")), "struct page: SIZE(page)=0");
  EXPECT_EQ(Failure(With("SIZE(page)", "65536")), "struct page: SIZE(page)=65536");
  EXPECT_EQ(Failure(With("SIZE(page)", "15")),
            "struct page: OFFSET(page.compound_head)=8 is outside of struct page");
}

TEST_F(PageRulesKeys, OffsetsMustLieInStructPage) {
  EXPECT_EQ(Failure(With("OFFSET(page.flags)", "57")),
            "struct page: OFFSET(page.flags)=57 is outside of struct page");
  EXPECT_EQ(Failure(With("OFFSET(page.flags)", "18446744073709551615")),
            "struct page: OFFSET(page.flags)=18446744073709551615 is outside of struct page");
  EXPECT_EQ(Failure(With("OFFSET(page.flags)", "56")), "no failure");
  EXPECT_EQ(Disabled(With("OFFSET(page.private)", "60")),
            Lines{"free pages: OFFSET(page.private)=60 is outside of struct page"});
}

TEST_F(PageRulesKeys, FreePagesAreKeptWithoutTheirType) {
  pages_.Free(0, 3);
  std::string text = Without("NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)");
  EXPECT_EQ(Disabled(text), Lines{"free pages: NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE) is missing"});
  EXPECT_FALSE(LayoutOf(text, pages_).can_tell_free());
  EXPECT_EQ(DecodeText(text), Facts(0));
}

TEST_F(PageRulesKeys, FreePagesAreKeptWithoutTheirOrder) {
  pages_.Free(0, 3);
  std::string text = Without("OFFSET(page.private)");
  EXPECT_EQ(Disabled(text), Lines{"free pages: OFFSET(page.private) is missing"});
  EXPECT_EQ(DecodeText(text), Facts(0));
}

TEST_F(PageRulesKeys, FreeOrderIsBoundedByTheAddressSpaceWithoutTheFreeArea) {
  std::string text = Without("LENGTH(zone.free_area)");
  pages_.Free(0, 51);
  EXPECT_EQ(DecodeText(text), Facts(kPageBuddy, 51));
  pages_.Free(0, 52);
  EXPECT_TRUE(DecodeText(text).bad_order);
}

TEST_F(PageRulesKeys, ImpossibleFreeAreaSwitchesTheRuleOff) {
  EXPECT_EQ(Disabled(With("LENGTH(zone.free_area)", "0")),
            Lines{"free pages: LENGTH(zone.free_area)=0 is impossible"});
  EXPECT_EQ(Disabled(With("LENGTH(zone.free_area)", "53")),
            Lines{"free pages: LENGTH(zone.free_area)=53 is impossible"});
}

TEST_F(PageRulesKeys, UnacceptedNeedsTheFreeArea) {
  std::string text =
      Without("LENGTH(zone.free_area)") + "NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)=-150994944\n";
  EXPECT_EQ(Disabled(text), Lines{"unaccepted memory: LENGTH(zone.free_area) is missing"});
}

TEST_F(PageRulesKeys, NoTypeIsKnownWithoutMapcount) {
  std::string text = Without("OFFSET(page._mapcount)");
  EXPECT_EQ(Disabled(text), (Lines{"free pages: OFFSET(page._mapcount) is missing",
                                   "user memory: OFFSET(page._mapcount) is missing",
                                   "page cache: user memory cannot be told from it",
                                   "offline pages: OFFSET(page._mapcount) is missing",
                                   "hugetlb pages: OFFSET(page._mapcount) is missing"}));
  EXPECT_EQ(DecodeText(text), Facts(0));
}

TEST_F(PageRulesKeys, UserMemoryIsKeptWhenSlabCannotBeTold) {
  pages_.Anonymous(0);
  std::string text = Without("NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)");
  EXPECT_EQ(Disabled(text), (Lines{"user memory: NUMBER(PG_slab) is missing",
                                   "page cache: user memory cannot be told from it"}));
  EXPECT_EQ(DecodeText(text), Facts(0));
}

TEST_F(PageRulesKeys, UserMemoryAndCacheAreKeptWithoutMapping) {
  pages_.Anonymous(0);
  std::string text = Without("OFFSET(page.mapping)");
  EXPECT_EQ(Disabled(text), (Lines{"user memory: OFFSET(page.mapping) is missing",
                                   "page cache: user memory cannot be told from it"}));
  EXPECT_EQ(DecodeText(text), Facts(0));
}

TEST_F(PageRulesKeys, CacheIsKeptWithoutLru) {
  pages_.FileCache(0);
  std::string text = Without("NUMBER(PG_lru)");
  EXPECT_EQ(Disabled(text), Lines{"page cache: NUMBER(PG_lru) is missing"});
  EXPECT_EQ(DecodeText(text), Facts(0));
}

TEST_F(PageRulesKeys, CacheRuleIsOffAsAWhole) {
  pages_.FileCache(0);
  std::string text = With("NUMBER(PG_swapcache)", "99");
  EXPECT_EQ(Disabled(text), Lines{"page cache: NUMBER(PG_swapcache)=99 is no bit of page.flags"});
  EXPECT_EQ(DecodeText(text), Facts(0));
}

TEST_F(PageRulesKeys, CacheCountsAsPrivateWithoutPrivate) {
  pages_.FileCache(0);
  std::string text = Without("NUMBER(PG_private)");
  EXPECT_EQ(Disabled(text),
            Lines{"page cache without private data: NUMBER(PG_private) is missing"});
  EXPECT_EQ(DecodeText(text), Facts(kPageCache | kPagePrivate));
}

TEST_F(PageRulesKeys, OfflinePagesAreKeptWithoutTheirType) {
  pages_.Offline(0);
  std::string text = Without("NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)");
  EXPECT_EQ(Disabled(text), Lines{"offline pages: NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE) is missing"});
  EXPECT_EQ(DecodeText(text), Facts(0));
}

TEST_F(PageRulesKeys, CompoundPagesAreSinglePagesWithoutTheHeadFlag) {
  pages_.Compound(0, 1);
  std::string text = Without("NUMBER(PG_head_mask)");
  EXPECT_EQ(Disabled(text), Lines{"compound pages: NUMBER(PG_head_mask) is missing"});
  EXPECT_EQ(DecodeText(text), Facts(0));
}

TEST_F(PageRulesKeys, HeadMaskMustBeOneBit) {
  EXPECT_EQ(Disabled(With("NUMBER(PG_head_mask)", "0")),
            Lines{"compound pages: NUMBER(PG_head_mask)=0 is not one bit"});
  EXPECT_EQ(Disabled(With("NUMBER(PG_head_mask)", "3")),
            Lines{"compound pages: NUMBER(PG_head_mask)=3 is not one bit"});
}

TEST_F(PageRulesKeys, FlagMustBeABitOfTheWord) {
  EXPECT_EQ(Disabled(With("NUMBER(PG_lru)", "64")),
            Lines{"page cache: NUMBER(PG_lru)=64 is no bit of page.flags"});
  EXPECT_EQ(Disabled(With("NUMBER(PG_lru)", "-1")),
            Lines{"page cache: NUMBER(PG_lru)=-1 is no bit of page.flags"});
  EXPECT_TRUE(Disabled(With("NUMBER(PG_lru)", "63")).empty());
}

TEST_F(PageRulesKeys, TypeMustFitThirtyTwoBits) {
  EXPECT_EQ(Disabled(With("NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", "4294967296")),
            Lines{"offline pages: NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=4294967296 does not fit "
                  "page._mapcount"});
  // The same value written without a sign.
  pages_.Offline(0);
  EXPECT_EQ(DecodeText(With("NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", "0xf1000000")),
            Facts(kPageOffline));
}

TEST_F(PageRulesKeys, DestructorMustBeAByteInStructPage) {
  PageStructs old(FindEra("6.3"), 2);
  std::string text = old.Vmcoreinfo();
  size_t at = text.find("OFFSET(folio._folio_dtor)=");
  std::string low = text;
  low.replace(at, 28, "OFFSET(folio._folio_dtor)=63");
  EXPECT_EQ(LayoutOf(low, old).disabled(),
            Lines{"hugetlb pages: OFFSET(folio._folio_dtor)=63 is outside of struct page"});
  EXPECT_EQ(LayoutOf(text + "NUMBER(HUGETLB_PAGE_DTOR)=256\n", old).disabled(),
            Lines{"hugetlb pages: NUMBER(HUGETLB_PAGE_DTOR)=256 is not a byte"});
}

}  // namespace
}  // namespace kdumpkit
