// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/segment_table.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>

namespace kdumpkit {
namespace {

constexpr uint64_t kFileSize = 1000;

Segment Make(uint64_t paddr, uint64_t offset, uint64_t size) {
  return {PhysAddr(paddr), VirtAddr(0), FileOffset(offset), size, size};
}

std::string Text(const SegmentTable& table) {
  std::string text;
  for (const SegmentPiece& piece : table.pieces())
    text += fmt::format("{}+{}@{} ", piece.base.value, piece.size, piece.offset.value);
  return text;
}

std::string Pieces(const std::vector<Segment>& segments) {
  return Text(SegmentTable(segments, kFileSize));
}

TEST(SegmentTable, SortsByAddress) {
  EXPECT_EQ(Pieces({Make(300, 10, 5), Make(100, 20, 5), Make(200, 30, 5)}),
            "100+5@20 200+5@30 300+5@10 ");
}

TEST(SegmentTable, SegmentInsideAnotherIsDropped) {
  EXPECT_EQ(Pieces({Make(140, 10, 20), Make(100, 200, 100)}), "100+100@200 ");
}

TEST(SegmentTable, EqualSegmentsGiveOnePiece) {
  EXPECT_EQ(Pieces({Make(100, 10, 20), Make(100, 200, 20)}), "100+20@10 ");
}

TEST(SegmentTable, LaterOverlapIsCut) {
  EXPECT_EQ(Pieces({Make(100, 10, 20), Make(110, 200, 20)}), "100+20@10 120+10@210 ");
}

TEST(SegmentTable, EmptySegmentIsNoPiece) {
  EXPECT_EQ(Pieces({Make(100, 10, 0), Make(0, 0, 0)}), "");
}

TEST(SegmentTable, SegmentAcrossTheEndOfTheFileIsSplit) {
  EXPECT_EQ(Pieces({Make(100, 990, 20)}), "100+10@990 110+10@1000 ");
}

TEST(SegmentTable, SegmentBeyondTheEndOfTheFileIsAPieceThere) {
  EXPECT_EQ(Pieces({Make(100, 5000, 20)}), "100+20@5000 ");
}

TEST(SegmentTable, ReadableCopyIsPreferred) {
  EXPECT_EQ(Pieces({Make(100, 2000, 50), Make(110, 10, 20)}), "100+10@2000 110+20@10 130+20@2030 ");
}

TEST(SegmentTable, ReadableCopiesFillSeveralPlacesOfAMissingOne) {
  EXPECT_EQ(Pieces({Make(100, 2000, 50), Make(100, 10, 5), Make(120, 20, 5), Make(145, 30, 20)}),
            "100+5@10 105+15@2005 120+5@20 125+20@2025 145+20@30 ");
}

TEST(SegmentTable, RangesAreMergedWhereSegmentsTouch) {
  std::vector<Segment> segments = {Make(100, 10, 20), Make(120, 500, 20), Make(300, 10, 1)};
  SegmentTable table(segments, kFileSize);
  ASSERT_EQ(table.ranges().size(), 2u);
  EXPECT_EQ(table.ranges()[0], (PhysRange{PhysAddr(100), 40}));
  EXPECT_EQ(table.ranges()[1], (PhysRange{PhysAddr(300), 1}));
}

TEST(SegmentTable, FromSkipsWhatEndsAtTheAddress) {
  std::vector<Segment> segments = {Make(100, 10, 20), Make(200, 500, 20)};
  SegmentTable table(segments, kFileSize);
  EXPECT_EQ(table.From(PhysAddr(119)).size(), 2u);
  EXPECT_EQ(table.From(PhysAddr(120)).size(), 1u);
  EXPECT_EQ(table.From(PhysAddr(220)).size(), 0u);
}

TEST(SegmentTable, AddressesUpToTheLastAreKept) {
  std::vector<Segment> segments = {Make(UINT64_MAX - 10, 0, 10)};
  SegmentTable table(segments, kFileSize);
  EXPECT_EQ(table.From(PhysAddr(UINT64_MAX - 1)).size(), 1u);
  EXPECT_EQ(table.From(PhysAddr(UINT64_MAX)).size(), 0u);
}

// Whether any copy of the byte at `address` is in the file; absent when there is no copy at all.
std::optional<bool> Readable(const std::vector<Segment>& segments, uint64_t address) {
  std::optional<bool> readable;
  for (const Segment& segment : segments) {
    if (address < segment.paddr.value || address - segment.paddr.value >= segment.file_size)
      continue;
    uint64_t offset = segment.offset.value + (address - segment.paddr.value);
    readable = readable.value_or(false) || offset < kFileSize;
  }
  return readable;
}

bool StatesOffset(const std::vector<Segment>& segments, uint64_t address, uint64_t offset) {
  for (const Segment& segment : segments) {
    uint64_t delta = address - segment.paddr.value;
    if (delta < segment.file_size && segment.offset.value + delta == offset) return true;
  }
  return false;
}

void CheckByteByByte(const std::vector<Segment>& segments) {
  SegmentTable table(segments, kFileSize);
  for (uint64_t address = 0; address < 80; ++address) {
    std::optional<bool> expected = Readable(segments, address);
    auto pieces = table.From(PhysAddr(address));
    bool found = !pieces.empty() && pieces[0].base.value <= address;
    ASSERT_EQ(found, expected.has_value()) << address << ": " << Text(table);
    if (!found) continue;
    uint64_t offset = pieces[0].offset.value + (address - pieces[0].base.value);
    EXPECT_EQ(offset < kFileSize, *expected) << address << ": " << Text(table);
    EXPECT_TRUE(StatesOffset(segments, address, offset)) << address << ": " << Text(table);
  }
}

TEST(SegmentTable, AgreesWithAByteByByteSearchForRandomSegments) {
  std::mt19937 random(1);
  auto below = [&](uint64_t limit) { return random() % limit; };
  for (int round = 0; round < 2000; ++round) {
    std::vector<Segment> segments;
    for (uint64_t i = 0, count = below(8); i < count; ++i)
      segments.push_back(Make(below(60), kFileSize - 40 + below(60), below(20)));
    CheckByteByByte(segments);
  }
}

}  // namespace
}  // namespace kdumpkit
