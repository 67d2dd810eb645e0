// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/dump_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dumpfile/kdump_image.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Blocks: headers, sub header and notes, bitmaps; then four descriptors, or five with a lost page.
constexpr size_t kBitmap1 = 2 * kImageBlock;
constexpr size_t kBitmap2 = 3 * kImageBlock;
constexpr size_t kTable = 4 * kImageBlock;

std::atomic<bool> never_stop = false;

DumpCheck Check(ByteView image, std::optional<uint64_t> sample = std::nullopt) {
  return CheckDump(*KdumpReader::Open(MemoryFile(image)).value(), sample, never_stop);
}

class DumpCheckTest : public testing::Test {
 protected:
  ByteBuffer image_ = MakeKdumpImage({});
};

TEST_F(DumpCheckTest, WholeDumpsOfEveryKind) {
  for (Codec codec : {Codec::kNone, Codec::kZlib, Codec::kLzo, Codec::kSnappy, Codec::kZstd})
    for (TargetAbi abi :
         {TargetAbi{}, TargetAbi{ByteOrder::kBig, 8, 8}, TargetAbi{ByteOrder::kLittle, 4, 4}}) {
      DumpCheck check = Check(MakeKdumpImage({.abi = abi, .codec = codec}));
      EXPECT_TRUE(check.sound()) << (check.faults.empty() ? "" : check.faults[0]);
      EXPECT_EQ(check.pages, 4u);
      EXPECT_EQ(check.decompressed_pages, 4u);
      EXPECT_FALSE(check.incomplete);
    }
}

TEST_F(DumpCheckTest, LostPagesOfAnIncompleteDump) {
  DumpCheck check = Check(MakeKdumpImage({.lost = true}));
  EXPECT_TRUE(check.sound());
  EXPECT_TRUE(check.incomplete);
  EXPECT_EQ(check.lost_pages, 1u);
  EXPECT_EQ(check.decompressed_pages, 4u);
}

TEST_F(DumpCheckTest, LostPageOfADumpThatSaysItIsWhole) {
  std::fill_n(&image_[kTable], kPageDescriptorSize, std::byte{0});
  DumpCheck check = Check(image_);
  EXPECT_THAT(check.faults, ElementsAre("page frame 0x3, descriptor 0 at offset 0x4000: "
                                        "offset 0x0 is not that of page data"));
}

TEST_F(DumpCheckTest, DamagedDataAreFoundOnlyWhenDecompressed) {
  image_[kTable + 4 * kPageDescriptorSize] ^= std::byte{0xff};
  DumpCheck check = Check(image_);
  EXPECT_EQ(check.fault_count, 1u);
  EXPECT_THAT(check.faults[0], HasSubstr("page frame 0x3, descriptor 0 at offset 0x4000: "));
  EXPECT_EQ(check.decompressed_pages, 3u);
  // The sample of one is the last page.
  EXPECT_TRUE(Check(image_, 1).sound());
}

TEST_F(DumpCheckTest, EveryDescriptorIsLookedAtWithASample) {
  for (size_t number = 0; number < 4; ++number) {
    ByteBuffer image = image_;
    image[kTable + number * kPageDescriptorSize + 12] = std::byte{0x40};  // flags
    DumpCheck check = Check(image, 1);
    ASSERT_EQ(check.fault_count, 1u);
    EXPECT_THAT(check.faults[0], HasSubstr(fmt::format("descriptor {} at", number)));
    EXPECT_THAT(check.faults[0], HasSubstr("flags 0x40 name no codec"));
  }
}

TEST_F(DumpCheckTest, SampleIsSpread) {
  EXPECT_EQ(Check(image_, 1).decompressed_pages, 1u);
  EXPECT_EQ(Check(image_, 2).decompressed_pages, 2u);
  EXPECT_EQ(Check(image_, 3).decompressed_pages, 3u);
  EXPECT_EQ(Check(image_, 1000).decompressed_pages, 4u);
  // The second and the fourth page are a sample of two.
  ByteBuffer image = image_;
  image[kTable + 4 * kPageDescriptorSize] ^= std::byte{0xff};  // of the first page
  EXPECT_TRUE(Check(image, 2).sound());
}

TEST_F(DumpCheckTest, FileThatWasCut) {
  image_.resize(image_.size() - 1);
  DumpCheck check = Check(image_);
  EXPECT_GE(check.fault_count, 1u);
  EXPECT_THAT(check.faults[0], HasSubstr("the file ends at offset"));
}

TEST_F(DumpCheckTest, BitmapsThatContradictEachOther) {
  image_[kBitmap1] &= ~std::byte{0x08};  // page frame 3
  DumpCheck check = Check(image_);
  EXPECT_THAT(
      check.faults,
      ElementsAre("page frame 0x3 is in the bitmap of dumped pages, not in that of memory"));
}

// One bit more, and each later page has the descriptor of another.
TEST_F(DumpCheckTest, BitmapWithABitTooMany) {
  image_[kBitmap2] |= std::byte{0x01};
  EXPECT_FALSE(Check(image_).sound());
}

TEST_F(DumpCheckTest, FaultsAreCountedButNotAllTold) {
  std::fill_n(image_.begin() + kBitmap1, 13, std::byte{0});
  std::fill_n(image_.begin() + kBitmap2, 12, std::byte{0xff});
  image_.resize(image_.size() + 200 * kPageDescriptorSize);
  DumpCheck check = Check(image_);
  EXPECT_GT(check.fault_count, 90u);
  EXPECT_EQ(check.faults.size(), 20u);
}

TEST_F(DumpCheckTest, Stops) {
  std::atomic<bool> stop = true;
  DumpCheck check = CheckDump(*KdumpReader::Open(MemoryFile(image_)).value(), {}, stop);
  EXPECT_TRUE(check.stopped);
  EXPECT_FALSE(check.sound());
}

}  // namespace
}  // namespace kdumpkit
