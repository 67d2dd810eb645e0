// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/flattened_file.h"

#include <gtest/gtest.h>

#include "dumpfile/flattened_format.h"
#include "dumpfile/kdump_reader.h"
#include "tests/dumpfile/kdump_image.h"
#include "tests/support/rearrange.h"

namespace kdumpkit {
namespace {

class StreamBuilder {
 public:
  StreamBuilder() {
    out_.PutBytes(AsBytes(kFlattenedSignature));
    out_.PadTo(kFlattenedTypeOffset);
    out_.Put(kFlattenedType);
    out_.Put(kFlattenedVersion);
    out_.PadTo(kFlattenedHeaderSize);
  }
  StreamBuilder& Add(uint64_t offset, std::string_view text) {
    return AddHeader(offset, text.size()).AddBytes(AsBytes(text));
  }
  StreamBuilder& AddBytes(ByteView bytes) {
    out_.PutBytes(bytes);
    return *this;
  }
  StreamBuilder& AddHeader(uint64_t offset, uint64_t size) {
    out_.Put(offset);
    out_.Put(size);
    return *this;
  }
  ByteBuffer End() { return AddHeader(kFlattenedEndMark, kFlattenedEndMark).Cut(); }
  ByteBuffer Cut() { return std::move(out_).Take(); }

 private:
  ByteWriter out_{ByteOrder::kBig};
};

Result<std::unique_ptr<FlattenedFile>> TryOpen(ByteView stream) {
  return FlattenedFile::Open(OpenedFile::Make(MemoryFile(stream)).value());
}

std::unique_ptr<FlattenedFile> Open(ByteView stream) { return TryOpen(stream).value(); }

std::string Text(const FlattenedFile& file, uint64_t offset, size_t size) {
  ByteBuffer bytes(size);
  Status read = file.ReadFully(FileOffset(offset), bytes);
  if (!read) return read.error().message();
  std::string text(AsText(bytes));
  for (char& c : text)
    if (c == '\0') c = '.';
  return text;
}

TEST(FlattenedFile, RecordsStandWhereTheySay) {
  auto file = Open(StreamBuilder().Add(10, "world").Add(0, "hello").Add(5, " big").End());
  EXPECT_TRUE(file->complete());
  EXPECT_EQ(file->record_count(), 3u);
  EXPECT_EQ(file->size(), 15u);
  EXPECT_EQ(Text(*file, 0, 15), "hello big.world");
  EXPECT_EQ(Text(*file, 7, 5), "ig.wo");
}

TEST(FlattenedFile, OfOverlappingRecordsTheLastCounts) {
  struct Case {
    StreamBuilder stream;
    std::string want;
  };
  Case cases[] = {
      {StreamBuilder().Add(0, "aaaaaaaa").Add(2, "bb"), "aabbaaaa"},
      {StreamBuilder().Add(2, "bb").Add(0, "aaaaaaaa"), "aaaaaaaa"},
      {StreamBuilder().Add(0, "aaaa").Add(2, "bbbb").Add(3, "cc"), "aabccb"},
      {StreamBuilder().Add(4, "dd").Add(0, "aaaaa").Add(0, "e"), "eaaaad"},
      {StreamBuilder().Add(0, "abc").Add(0, "xyz").Add(1, "").Add(0, "12"), "12z"},
  };
  for (Case& c : cases) {
    auto file = Open(c.stream.End());
    EXPECT_EQ(Text(*file, 0, file->size()), c.want);
  }
}

TEST(FlattenedFile, NothingIsReadBeyondTheEnd) {
  auto file = Open(StreamBuilder().Add(0, "abc").End());
  EXPECT_NE(Text(*file, 2, 2).find("beyond the end"), std::string::npos);
  EXPECT_NE(Text(*file, UINT64_MAX, 2).find("beyond the end"), std::string::npos);
}

TEST(FlattenedFile, WhatACutStreamLacksIsMissingAndNotZero) {
  auto file = Open(StreamBuilder().Add(0, "abc").Add(6, "def").AddHeader(20, 10).Add(0, "").Cut());
  EXPECT_FALSE(file->complete());
  EXPECT_EQ(Text(*file, 0, 3), "abc");
  EXPECT_EQ(Text(*file, 6, 3), "def");
  EXPECT_NE(Text(*file, 2, 4).find("missing"), std::string::npos);
}

TEST(FlattenedFile, ARecordThatCannotBeIsRefused) {
  for (auto [offset, size] : std::initializer_list<std::pair<uint64_t, uint64_t>>{
           {1, UINT64_MAX}, {UINT64_MAX, 1}, {INT64_MAX, 1}, {uint64_t{1} << 63, 0}}) {
    auto file = TryOpen(StreamBuilder().AddHeader(offset, size).End());
    ASSERT_FALSE(file) << offset;
    EXPECT_EQ(file.error().kind(), ErrorKind::kMalformed);
    EXPECT_NE(file.error().message().find("0x1000"), std::string::npos) << file.error().message();
  }
}

TEST(FlattenedFile, AnotherTypeOrVersionIsRefused) {
  for (size_t at : {kFlattenedTypeOffset, kFlattenedVersionOffset}) {
    ByteBuffer stream = StreamBuilder().End();
    stream[at + 7] = std::byte{9};
    auto file = TryOpen(stream);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().kind(), ErrorKind::kUnsupported);
  }
}

// A dump, cut into records of any size in any order, is the same dump.
TEST(FlattenedFile, ADumpInPiecesReadsAsTheDump) {
  ByteBuffer image = MakeKdumpImage({});
  StreamBuilder stream;
  for (size_t part : std::initializer_list<size_t>{2, 0, 1}) {
    for (size_t at = part * 700; at < image.size(); at += 3 * 700) {
      size_t size = std::min<size_t>(700, image.size() - at);
      stream.AddHeader(at, size).AddBytes(ByteView(image).subspan(at, size));
    }
  }
  auto dump = KdumpReader::Open(Open(stream.End())).value();
  ByteBuffer page(kImageBlock);
  for (Pfn pfn : {kCompressedPage, kRawPage, kZeroPage}) {
    EXPECT_EQ(KdumpPageReader(*dump).Read(pfn, page).value(), PageState::kRead);
    EXPECT_EQ(page, ImagePage(pfn));
  }
}

TEST(FlattenedFile, SurvivesEveryPrefix) {
  ByteBuffer stream = StreamBuilder().Add(0, "abc").Add(6, "def").End();
  for (size_t size = 0; size <= stream.size(); ++size) {
    auto file = TryOpen(ByteView(stream).first(size));
    if (file) Text(**file, 0, (*file)->size());
  }
}

}  // namespace
}  // namespace kdumpkit
