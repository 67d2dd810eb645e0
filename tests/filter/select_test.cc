// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/select.h"

#include <gtest/gtest.h>

#include "tests/support/fake_counters.h"
#include "tests/support/fake_kernel.h"

namespace kdumpkit {
namespace {

// The struct pages of 2^order page frames from `first` on say that they are one free block.
void PutFree(FakeKernel& fake, uint64_t first, uint64_t order) {
  PageStructs lie(FindEra("6.12"), size_t{1} << order);
  lie.Free(0, order);
  fake.PutPages(first, lie);
}

class SelectTest : public ::testing::Test {
 protected:
  Selection Select(int level, int threads = 1, bool strict = false) {
    MachineId machine{FakeKernel::kElfMachine, ByteOrder::kLittle, 8};
    std::string text = fake_.vmcoreinfo();
    // A line that begins with '#' is no key.
    if (!hidden_key_.empty()) text.replace(text.find(hidden_key_), 1, "#");
    std::unique_ptr<CrashedKernel> kernel =
        std::move(CrashedKernel::Open(fake_.memory(), machine, text)).value();
    return SelectPages(fake_.memory(), kernel.get(), 12, *DumpLevel::Make(level),
                       {.threads = threads, .strict = strict});
  }
  static bool HasWarning(const Selection& selection, std::string_view text) {
    for (const std::string& warning : selection.warnings) {
      if (warning.find(text) != std::string::npos) return true;
    }
    return false;
  }

  FakeKernel fake_;
  std::string hidden_key_;
};

TEST_F(SelectTest, ThreadsDoNotChangeTheSelection) {
  Selection one = Select(31, 1);
  Selection four = Select(31, 4);
  EXPECT_EQ(one.kept_pages, four.kept_pages);
  EXPECT_EQ(one.kept.Bytes(0, one.kept.pages() / 8), four.kept.Bytes(0, four.kept.pages() / 8));
  EXPECT_EQ(one.free_found, four.free_found);
}

TEST_F(SelectTest, LevelZeroKeepsAllMemory) {
  Selection selection = Select(0);
  EXPECT_EQ(selection.kept_pages, selection.existing_pages);
  EXPECT_FALSE(selection.fell_back);
}

TEST_F(SelectTest, FreePagesThatDisagreeWithTheKernelAreAWarning) {
  fake_.SetFreePages(0, 0);
  fake_.SetFreePages(1, 0);
  fake_.SetFreePages(2, 0);
  uint64_t found = Select(16).free_found.value();
  fake_.SetFreePages(0, static_cast<int64_t>(found));
  EXPECT_FALSE(HasWarning(Select(16), "may be wrong"));
  Selection agreeing = Select(16);
  EXPECT_EQ(agreeing.free_counted, found);
  // One percent of memory is tolerated, more is not.
  int64_t percent = static_cast<int64_t>(agreeing.existing_pages / 100);
  fake_.SetFreePages(0, static_cast<int64_t>(found) + percent);
  EXPECT_FALSE(HasWarning(Select(16), "may be wrong"));
  fake_.SetFreePages(0, static_cast<int64_t>(found) + percent + 2);
  EXPECT_TRUE(HasWarning(Select(16), "may be wrong"));
}

TEST_F(SelectTest, StrictTakesTheDoubtfulBitOfTheLevel) {
  PutFree(fake_, 0x8000, 9);
  for (int zone : {1, 2}) fake_.SetFreePages(zone, 0);
  uint64_t found = Select(31).free_found.value();
  fake_.SetFreePages(0, static_cast<int64_t>(found));
  EXPECT_EQ(Select(31, 1, true).level, 31);
  fake_.SetFreePages(0, static_cast<int64_t>(found + 10000));
  Selection trusting = Select(31);
  EXPECT_EQ(trusting.level, 31);
  EXPECT_EQ(trusting.doubtful_bits(), kLevelFree);
  Selection strict = Select(31, 1, true);
  EXPECT_EQ(strict.level, 15);
  EXPECT_EQ(strict.kept_pages, trusting.kept_pages + 512);
  EXPECT_EQ(strict.checks.at(0).counted, found + 10000);
  EXPECT_TRUE(HasWarning(strict, "free pages were found but"));
  EXPECT_TRUE(HasWarning(strict, "the level is 15 instead of 31"));
  // There is nothing to be doubted.
  EXPECT_EQ(Select(14, 1, true).level, 14);
}

// Each of the kernel's counters, wrong alone and wrong together: the bits of the level that rest on
// it go, and no others.
TEST_F(SelectTest, EveryFailedCheckTakesItsBitsOfTheLevel) {
  struct Case {
    std::vector<std::pair<const char*, FakeCounter>> wrong;
    bool free_wrong;
    int level;
  };
  const Case kCases[] = {
      {{}, false, 31},
      {{{"slab", FakeCounter::kSlab}}, false, 23},
      {{{"anonymous", FakeCounter::kAnonymous}}, false, 23},
      {{{"file", FakeCounter::kFile}}, false, 25},
      {{}, true, 15},
      {{{"slab", FakeCounter::kSlab},
        {"anonymous", FakeCounter::kAnonymous},
        {"file", FakeCounter::kFile}},
       true,
       1},
  };
  FakeCounters counters(fake_);
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.level);
    counters.Clear();
    for (const auto& [what, counter] : c.wrong) counters.Set(counter, 5000);
    fake_.SetFreePages(0, c.free_wrong ? 5000 : 0);
    Selection trusting = Select(31);
    EXPECT_EQ(trusting.checks.size(), 4u);
    EXPECT_EQ(trusting.level, 31);
    EXPECT_EQ(trusting.level & ~trusting.doubtful_bits(), c.level);
    for (const auto& [what, counter] : c.wrong)
      EXPECT_TRUE(HasWarning(
          trusting, fmt::format("0 {} pages were found but the kernel counts 5000", what)));
    Selection strict = Select(31, 1, true);
    EXPECT_EQ(strict.level, c.level);
    EXPECT_EQ(HasWarning(strict, "for --strict"), c.level != 31);
  }
}

TEST_F(SelectTest, WithoutSectionsEveryPageIsKept) {
  fake_.RemoveKey("SYMBOL(mem_section)");
  Selection selection = Select(31);
  EXPECT_TRUE(selection.fell_back);
  EXPECT_EQ(selection.kept_pages, selection.existing_pages);
  EXPECT_TRUE(HasWarning(selection, "every page is kept"));
}

TEST_F(SelectTest, WithoutAKernelEveryPageIsKept) {
  Selection selection = SelectPages(fake_.memory(), nullptr, 12, *DumpLevel::Make(31), {});
  EXPECT_TRUE(selection.fell_back);
  EXPECT_EQ(selection.kept_pages, selection.existing_pages);
  // At level 1 there is nothing to fall back from.
  EXPECT_FALSE(SelectPages(fake_.memory(), nullptr, 12, *DumpLevel::Make(1), {}).fell_back);
}

TEST_F(SelectTest, AMissingRuleIsNamed) {
  hidden_key_ = "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)";
  EXPECT_TRUE(HasWarning(Select(16), "PAGE_BUDDY_MAPCOUNT_VALUE"));
}

TEST_F(SelectTest, NeededPagesAreKeptWhateverTheirStructPagesSay) {
  uint64_t image = fake_.Physical(fake_.InImage(0)).value / 4096;
  uint64_t map = fake_.struct_page(0).value / 4096;
  PutFree(fake_, image, 9);
  PageStructs lies(FindEra("6.12"), 4);
  for (size_t i = 0; i < 4; ++i) lies.Anonymous(i);
  fake_.PutPages(map, lies);
  Selection selection = Select(31);
  auto hits = [&](NeededKind kind, PageClass page_class) {
    return selection.guard_hits[static_cast<size_t>(kind)][static_cast<size_t>(page_class)];
  };
  // The top table is where VMCOREINFO points to; four more lead to memory, its map and the image.
  EXPECT_TRUE(selection.kept.Test(image));
  EXPECT_TRUE(selection.kept.Test(image + 1));
  EXPECT_GE(hits(NeededKind::kCrashInfo, PageClass::kFree), 2u);
  EXPECT_GE(hits(NeededKind::kTables, PageClass::kFree), 4u);
  // 4 pages of struct pages lie, and one of the image has struct mem_section.
  EXPECT_EQ(hits(NeededKind::kMemoryMap, PageClass::kUser), 4u);
  EXPECT_EQ(hits(NeededKind::kMemoryMap, PageClass::kFree), 1u);
  EXPECT_TRUE(HasWarning(selection, "4 pages of the memory map were to be left out as user pages"));
  // Nothing tells that the rest of the image is one.
  EXPECT_FALSE(selection.kept.Test(image + 400));
  uint64_t dropped = 0;
  for (const ClassCount& count : selection.classes) dropped += count.dropped;
  EXPECT_EQ(dropped, selection.existing_pages - selection.kept_pages);
}

TEST_F(SelectTest, FailedMemoryIsNeverRead) {
  PageStructs failed(FindEra("6.12"), 1);
  failed.Hwpoison(0);
  uint64_t map = fake_.struct_page(0).value / 4096;
  fake_.PutPages(map, failed);
  Selection selection = Select(31);
  EXPECT_FALSE(selection.kept.Test(map));
  EXPECT_TRUE(HasWarning(selection, "1 pages of the memory map are failed memory and left out"));
}

TEST_F(SelectTest, AGuardChangesNothingElse) {
  PutFree(fake_, 0x8000, 9);
  Selection selection = Select(31);
  EXPECT_EQ(selection.kept_pages, selection.existing_pages - 512);
  for (const auto& kind : selection.guard_hits)
    for (uint64_t pages : kind) EXPECT_EQ(pages, 0u);
}

}  // namespace
}  // namespace kdumpkit
