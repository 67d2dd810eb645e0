// SPDX-License-Identifier: GPL-2.0-or-later
#include "erase/plan.h"

#include <gtest/gtest.h>

#include "erase/erased_memory.h"
#include "tests/support/fake_memory.h"

namespace kdumpkit {
namespace {

ErasePiece Piece(uint64_t base, uint64_t size, EraseFill fill = EraseFill::kX) {
  return {{PhysAddr(base), size}, fill};
}

TEST(ErasePlan, PiecesAreSortedAndMerged) {
  ErasePlan plan({Piece(0x3000, 8, EraseFill::kNul), Piece(0x1ff8, 16), Piece(0x1000, 8),
                  Piece(0x1004, 8), Piece(0x2004, 8, EraseFill::kNul)});
  ASSERT_EQ(plan.pieces().size(), 4u);
  EXPECT_EQ(plan.pieces()[0].range, (PhysRange{PhysAddr(0x1000), 12}));
  EXPECT_EQ(plan.pieces()[1].range, (PhysRange{PhysAddr(0x1ff8), 16}));
  EXPECT_EQ(plan.pieces()[2].range, (PhysRange{PhysAddr(0x2008), 4}));  // 'X' wins before it
  EXPECT_EQ(plan.pieces()[2].fill, EraseFill::kNul);
  EXPECT_EQ(plan.bytes(), 12u + 16 + 4 + 8);
  EXPECT_EQ(plan.PageCount(4096), 3u);
}

TEST(ErasePlan, TouchesWhatHasAByteOfIt) {
  ErasePlan plan({Piece(0x1000, 8), Piece(0x3000, 8)});
  EXPECT_TRUE(plan.Touches({PhysAddr(0x1007), 1}));
  EXPECT_TRUE(plan.Touches({PhysAddr(0), 0x10000}));
  EXPECT_FALSE(plan.Touches({PhysAddr(0x1008), 0x1ff8}));
  EXPECT_FALSE(plan.Touches({PhysAddr(0x3008), 0x1000}));
  EXPECT_FALSE(plan.Touches({PhysAddr(0xff0), 16}));
  EXPECT_FALSE(ErasePlan().Touches({PhysAddr(0), 0x10000}));
}

TEST(ErasedMemory, OnlyThePiecesChange) {
  FakeMemory memory;
  memory.AddRange(PhysAddr(0x1000), 0x4000);
  memory.Write(PhysAddr(0x1000), ByteBuffer(0x4000, std::byte('a')));
  ErasedMemory erased(memory, ErasePlan({Piece(0x1ffe, 4), Piece(0x3000, 2, EraseFill::kNul)}));
  std::unique_ptr<MemoryReader> reader = erased.NewReader();
  std::string expected(0x4000, 'a');
  expected.replace(0xffe, 4, "XXXX");
  expected.replace(0x2000, 2, 2, '\0');
  // By the page, as a dump is read, and in one piece.
  std::string pages;
  for (uint64_t at = 0x1000; at < 0x5000; at += 0x1000)
    pages += AsText(reader->View(PhysAddr(at), 0x1000).value());
  EXPECT_EQ(pages, expected);
  EXPECT_EQ(AsText(reader->View(PhysAddr(0x1000), 0x4000).value()), expected);
  EXPECT_EQ(AsText(memory.Copy(PhysAddr(0x1ffe), 4)), "aaaa");
  EXPECT_FALSE(reader->View(PhysAddr(0x9000), 0x1000));
}

}  // namespace
}  // namespace kdumpkit
