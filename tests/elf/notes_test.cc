// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/notes.h"

#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

class NoteBytes {
 public:
  explicit NoteBytes(ByteOrder order = ByteOrder::kLittle) : out_(order) {}
  NoteBytes& Header(uint32_t name_size, uint32_t desc_size, uint32_t type) {
    for (uint32_t value : {name_size, desc_size, type}) out_.Put(value);
    return *this;
  }
  NoteBytes& Text(std::string_view text) {
    out_.PutBytes(AsBytes(text));
    return *this;
  }
  NoteBytes& Zeros(size_t count) {
    out_.PutBytes(ByteBuffer(count));
    return *this;
  }
  ByteBuffer Take() { return std::move(out_).Take(); }

 private:
  ByteWriter out_;
};

// The notes point into the bytes, which stay with them.
struct Parsed : NoteList {
  ByteBuffer bytes;
};

Parsed Parse(ByteBuffer bytes, ByteOrder order = ByteOrder::kLittle) {
  NoteList list = ParseNotes(bytes, 0, order, FileOffset(0x1000));
  return {std::move(list), std::move(bytes)};
}

TEST(Notes, NameAndContentsArePaddedToFourBytes) {
  ByteBuffer bytes = NoteBytes()
                         .Header(4, 5, 7)
                         .Text("abc")
                         .Zeros(1)
                         .Text("12345")
                         .Zeros(3)
                         .Header(1, 0, 8)
                         .Zeros(4)
                         .Take();
  Parsed list = Parse(bytes);
  EXPECT_EQ(list.problem, "");
  ASSERT_EQ(list.notes.size(), 2u);
  EXPECT_EQ(list.notes[0].name, "abc");
  EXPECT_EQ(list.notes[0].type, 7u);
  EXPECT_EQ(AsText(list.notes[0].desc), "12345");
  EXPECT_EQ(list.notes[0].raw_offset, 16u);
  EXPECT_EQ(list.notes[1].name, "");
  EXPECT_EQ(list.notes[1].type, 8u);
}

TEST(Notes, BigEndian) {
  Parsed list =
      Parse(NoteBytes(ByteOrder::kBig).Header(4, 4, 1).Text("abc").Zeros(1).Text("wxyz").Take(),
            ByteOrder::kBig);
  ASSERT_EQ(list.notes.size(), 1u);
  EXPECT_EQ(AsText(list.notes[0].desc), "wxyz");
}

TEST(Notes, LastNoteNeedsNoPadding) {
  Parsed list = Parse(NoteBytes().Header(4, 2, 1).Text("abc").Zeros(1).Text("xy").Take());
  EXPECT_EQ(list.problem, "");
  ASSERT_EQ(list.notes.size(), 1u);
  EXPECT_EQ(AsText(list.notes[0].desc), "xy");
}

TEST(Notes, NothingIsAnEmptyList) {
  Parsed list = Parse({});
  EXPECT_EQ(list.problem, "");
  EXPECT_TRUE(list.notes.empty());
}

TEST(Notes, ZerosEndTheList) {
  for (size_t zeros : {1u, 11u, 12u, 13u, 4096u}) {
    Parsed list = Parse(NoteBytes().Header(4, 0, 1).Text("abc").Zeros(1 + zeros).Take());
    EXPECT_EQ(list.problem, "") << zeros;
    EXPECT_EQ(list.notes.size(), 1u) << zeros;
  }
}

TEST(Notes, CutHeaderIsAProblemAfterTheGoodNotes) {
  Parsed list = Parse(NoteBytes().Header(4, 0, 1).Text("abc").Zeros(1).Text("\1\2\3\4").Take());
  EXPECT_EQ(list.problem, "note at 0x1010: its header is cut off");
  EXPECT_EQ(list.notes.size(), 1u);
}

TEST(Notes, NamePastTheEnd) {
  Parsed list = Parse(NoteBytes().Header(9, 0, 1).Text("abcdefgh").Take());
  EXPECT_EQ(list.problem,
            "note at 0x1000: 9 bytes of name and 0 of contents reach past the end of the notes");
  EXPECT_TRUE(list.notes.empty());
}

TEST(Notes, ContentsPastTheEnd) {
  EXPECT_NE(Parse(NoteBytes().Header(4, 5, 1).Text("abc").Zeros(1).Text("1234").Take()).problem,
            "");
  EXPECT_NE(Parse(NoteBytes().Header(0, UINT32_MAX, 1).Zeros(8).Take()).problem, "");
}

TEST(Notes, NamesAreLimited) {
  EXPECT_EQ(Parse(NoteBytes().Header(256, 0, 1).Zeros(256).Take()).notes.size(), 1u);
  EXPECT_EQ(Parse(NoteBytes().Header(257, 0, 1).Zeros(260).Take()).problem,
            "note at 0x1000: a name of 257 bytes");
  EXPECT_NE(Parse(NoteBytes().Header(UINT32_MAX, 0, 1).Zeros(8).Take()).problem, "");
}

TEST(Notes, NameEndsAtItsFirstNul) {
  Parsed list = Parse(NoteBytes().Header(8, 0, 1).Text("ab").Zeros(1).Text("cdefg").Take());
  ASSERT_EQ(list.notes.size(), 1u);
  EXPECT_EQ(list.notes[0].name, "ab");
}

TEST(Notes, NameWithoutNulIsTakenWhole) {
  Parsed list = Parse(NoteBytes().Header(4, 0, 1).Text("QEMU").Take());
  ASSERT_EQ(list.notes.size(), 1u);
  EXPECT_EQ(list.notes[0].name, "QEMU");
}

TEST(Notes, NumberIsLimited) {
  NoteBytes bytes;
  for (int i = 0; i < 262145; ++i) bytes.Header(0, 0, 1);
  Parsed list = Parse(bytes.Take());
  EXPECT_EQ(list.notes.size(), 262144u);
  EXPECT_EQ(list.problem, "note at 0x301000: too many notes");
}

TEST(Notes, BeginIsWhereThisPartStarts) {
  ByteBuffer bytes = NoteBytes().Zeros(20).Header(4, 4, 1).Text("abc").Zeros(1).Text("1234").Take();
  NoteList list = ParseNotes(bytes, 20, ByteOrder::kLittle, FileOffset(0));
  ASSERT_EQ(list.notes.size(), 1u);
  EXPECT_EQ(list.notes[0].raw_offset, 36u);
}

TEST(Notes, EveryPrefixGivesNotesInsideIt) {
  ByteBuffer bytes =
      NoteBytes().Header(4, 4, 1).Text("abc").Zeros(1).Text("1234").Header(1, 3, 2).Zeros(8).Take();
  for (size_t size = 0; size <= bytes.size(); ++size) {
    ByteBuffer prefix(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
    Parsed list = Parse(std::move(prefix));
    for (const Note& note : list.notes) EXPECT_LE(note.raw_offset + note.desc.size(), size);
  }
}

}  // namespace
}  // namespace kdumpkit
