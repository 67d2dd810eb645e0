// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/select.h"

#include <gtest/gtest.h>

#include "tests/support/fake_kernel.h"

namespace kdumpkit {
namespace {

class SelectTest : public ::testing::Test {
 protected:
  Selection Select(int level, int threads = 1) {
    MachineId machine{FakeKernel::kElfMachine, ByteOrder::kLittle, 8};
    std::string text = fake_.vmcoreinfo();
    // A line that begins with '#' is no key.
    if (!hidden_key_.empty()) text.replace(text.find(hidden_key_), 1, "#");
    std::unique_ptr<CrashedKernel> kernel =
        std::move(CrashedKernel::Open(fake_.memory(), machine, text)).value();
    return SelectPages(fake_.memory(), kernel.get(), 12, *DumpLevel::Make(level), threads);
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

TEST_F(SelectTest, WithoutSectionsEveryPageIsKept) {
  fake_.RemoveKey("SYMBOL(mem_section)");
  Selection selection = Select(31);
  EXPECT_TRUE(selection.fell_back);
  EXPECT_EQ(selection.kept_pages, selection.existing_pages);
  EXPECT_TRUE(HasWarning(selection, "every page is kept"));
}

TEST_F(SelectTest, WithoutAKernelEveryPageIsKept) {
  Selection selection = SelectPages(fake_.memory(), nullptr, 12, *DumpLevel::Make(31), 1);
  EXPECT_TRUE(selection.fell_back);
  EXPECT_EQ(selection.kept_pages, selection.existing_pages);
  // At level 1 there is nothing to fall back from.
  EXPECT_FALSE(SelectPages(fake_.memory(), nullptr, 12, *DumpLevel::Make(1), 1).fell_back);
}

TEST_F(SelectTest, AMissingRuleIsNamed) {
  hidden_key_ = "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)";
  EXPECT_TRUE(HasWarning(Select(16), "PAGE_BUDDY_MAPCOUNT_VALUE"));
}

}  // namespace
}  // namespace kdumpkit
