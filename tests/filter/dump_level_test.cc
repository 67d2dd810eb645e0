// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/dump_level.h"

#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

// The class that this level drops the page as; "kept" when it does not.
std::string Judge(int level, int facts, uint8_t order = 0) {
  PageFacts page{static_cast<uint16_t>(facts), order, false};
  Verdict verdict = DumpLevel::Make(level)->Judge(page);
  return verdict.drop ? std::string(PageClassName(verdict.page_class)) : "kept";
}

TEST(DumpLevel, RangeIsChecked) {
  EXPECT_FALSE(DumpLevel::Make(-1));
  EXPECT_FALSE(DumpLevel::Make(32));
  EXPECT_EQ(DumpLevel::Make(31)->bits(), 31);
}

TEST(DumpLevel, EachBitDropsItsClassOnly) {
  struct Row {
    int facts;
    int level;
    const char* name;
  };
  for (const Row& row : {Row{kPageCache, 2, "cache"}, Row{kPageCache, 4, "cache"},
                         Row{kPageCache | kPagePrivate, 4, "cache-private"},
                         Row{kPageAnon, 8, "user"}, Row{kPageHugetlb, 8, "user"},
                         Row{kPageBuddy, 16, "free"}, Row{kPageUnaccepted, 16, "unaccepted"}}) {
    EXPECT_EQ(Judge(row.level, row.facts), row.name);
    EXPECT_EQ(Judge(31, row.facts), row.name);
    for (int other : {0, 1, 2, 4, 8, 16}) {
      bool cache_pair = row.facts == kPageCache && (other == 2 || other == 4);
      if (other != row.level && !cache_pair) {
        EXPECT_EQ(Judge(other, row.facts), "kept");
      }
    }
  }
}

TEST(DumpLevel, PrivateCacheStaysAtLevelTwo) {
  EXPECT_EQ(Judge(2, kPageCache | kPagePrivate), "kept");
}

TEST(DumpLevel, AnonymousMemoryInTheSwapCacheIsUserMemory) {
  EXPECT_EQ(Judge(6, kPageCache | kPageAnon), "kept");
  EXPECT_EQ(Judge(31, kPageCache | kPageAnon), "user");
}

TEST(DumpLevel, FailedAndOfflineMemoryGoesAtEveryLevel) {
  for (int level : {0, 1, 2, 4, 8, 16, 31}) {
    EXPECT_EQ(Judge(level, kPageHwpoison), "hwpoison");
    EXPECT_EQ(Judge(level, kPageOffline), "offline");
  }
  EXPECT_EQ(Judge(0, kPageHwpoison | kPageCache), "hwpoison");
  EXPECT_EQ(Judge(2, kPageHwpoison | kPageCache), "cache");
}

TEST(DumpLevel, TailsAreLeftToTheirHead) {
  EXPECT_EQ(Judge(31, kPageTail | kPageAnon | kPageCache | kPageHwpoison), "kept");
}

TEST(DumpLevel, KernelAndSlabPagesAreNeverDropped) {
  EXPECT_EQ(Judge(31, 0), "kept");
  EXPECT_EQ(Judge(31, kPageSlab), "kept");
  EXPECT_EQ(Judge(31, kPagePrivate), "kept");
}

TEST(DumpLevel, ImpossibleBuddyOrderIsKept) {
  PageFacts facts{kPageBuddy, 200, true};
  EXPECT_FALSE(DumpLevel::Make(31)->Judge(facts).drop);
}

TEST(DumpLevel, OrderOfAFreeBlockDoesNotSpreadOtherRules) {
  PageFacts facts{kPageBuddy | kPageHwpoison, 5, false};
  EXPECT_EQ(DumpLevel::Make(16)->Judge(facts).order, 5);
  EXPECT_EQ(DumpLevel::Make(0)->Judge(facts).page_class, PageClass::kHwpoison);
  EXPECT_EQ(DumpLevel::Make(0)->Judge(facts).order, 0);
}

TEST(DumpLevel, KeptPagesAreNamedToo) {
  PageFacts facts{kPageAnon, 9, false};
  Verdict verdict = DumpLevel::Make(0)->Judge(facts);
  EXPECT_FALSE(verdict.drop);
  EXPECT_EQ(verdict.page_class, PageClass::kUser);
  EXPECT_EQ(verdict.order, 9);
}

}  // namespace
}  // namespace kdumpkit
