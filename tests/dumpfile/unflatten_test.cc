// SPDX-License-Identifier: GPL-2.0-or-later
// Both ways to read a flattened stream: Unflatten, and FlattenedSource. They must agree.
#include "dumpfile/unflatten.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <random>

#include "base/file.h"
#include "base/process.h"
#include "dumpfile/flattened_source.h"
#include "dumpfile/flattened_stream.h"
#include "dumpfile/kdump_reader.h"
#include "tests/dumpfile/kdump_image.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

ByteBuffer Contents(int fd) {
  ByteBuffer bytes(static_cast<size_t>(lseek(fd, 0, SEEK_END)));
  CHECK(ReadFullyAt(fd, FileOffset(0), bytes).has_value());
  return bytes;
}

// A stream of records.
class Stream {
 public:
  Stream& Add(uint64_t offset, std::string_view text) {
    return AddHeader(offset, text.size(), text);
  }
  Stream& AddHeader(uint64_t offset, uint64_t size, std::string_view text = {}) {
    std::array<std::byte, kFlattenedRecordSize> header;
    EncodeFlattenedRecord(offset, size, header);
    bytes_.insert(bytes_.end(), header.begin(), header.end());
    bytes_.insert(bytes_.end(), AsBytes(text).begin(), AsBytes(text).end());
    return *this;
  }
  Stream& End() { return AddHeader(kFlattenedEnd, kFlattenedEnd); }
  ByteBuffer& bytes() { return bytes_; }

 private:
  ByteBuffer bytes_ = EncodeFlattenedHeader({});
};

struct Outcome {
  Result<Unflattened> result;
  std::string text;  // of the file
};

std::atomic<bool> never_stop = false;

Outcome Feed(ByteView stream) {
  UniqueFd output = MemoryFile({});
  Result<Unflattened> result = Unflatten(MemoryFile(stream).get(), output.get(), never_stop);
  return {std::move(result), std::string(AsText(Contents(output.get())))};
}

// The whole dump through FlattenedSource, by reads of `piece` bytes.
std::string ReadAsIs(ByteView stream, size_t piece = 4096) {
  auto source = FlattenedSource::Open(MemoryFile(stream));
  if (!source) return source.error().message();
  ByteBuffer bytes((*source)->size());
  for (size_t at = 0; at < bytes.size(); at += piece) {
    ByteSpan part = ByteSpan(bytes).subspan(at, std::min(piece, bytes.size() - at));
    Status read = (*source)->ReadFullyAt(FileOffset(at), part);
    if (!read) return read.error().message();
  }
  return std::string(AsText(bytes));
}

TEST(Unflatten, RecordsInAnyOrder) {
  ByteBuffer stream = Stream().Add(6, "last").Add(0, "abc").Add(3, "").End().bytes();
  Outcome outcome = Feed(stream);
  ASSERT_TRUE(outcome.result);
  EXPECT_FALSE(outcome.result->failure);
  EXPECT_EQ(outcome.result->records, 3u);
  EXPECT_EQ(outcome.result->bytes, 7u);
  EXPECT_EQ(outcome.text, std::string("abc\0\0\0last", 10));
  EXPECT_EQ(ReadAsIs(stream), outcome.text);
  EXPECT_EQ(ReadAsIs(stream, 1), outcome.text);
}

TEST(Unflatten, LaterRecordsCount) {
  ByteBuffer stream = Stream()
                          .Add(0, "aaaaaaaaaa")
                          .Add(2, "bbb")
                          .Add(4, "cc")
                          .Add(8, "dddd")
                          .Add(0, "e")
                          .End()
                          .bytes();
  EXPECT_EQ(Feed(stream).text, "eabbccaadddd");
  EXPECT_EQ(ReadAsIs(stream), "eabbccaadddd");
}

// Any records, so that each way to overlap is taken.
TEST(Unflatten, BothReadersAgree) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    Stream stream;
    for (int i = 0; i < 20; ++i)
      stream.Add(random() % 60, std::string(random() % 20, static_cast<char>('a' + i)));
    stream.End();
    EXPECT_EQ(ReadAsIs(stream.bytes(), 1 + random() % 30), Feed(stream.bytes()).text);
  }
}

TEST(Unflatten, NothingIsReadBehindTheEndMark) {
  UniqueFd stream = MemoryFile(Stream().Add(0, "abc").End().Add(0, "xyz").bytes());
  UniqueFd output = MemoryFile({});
  ASSERT_TRUE(Unflatten(stream.get(), output.get(), never_stop));
  EXPECT_EQ(AsText(Contents(output.get())), "abc");
  EXPECT_EQ(lseek(stream.get(), 0, SEEK_CUR), 4096 + 16 + 3 + 16);
}

TEST(Unflatten, WhatIsNoStream) {
  ByteBuffer stream = Stream().End().bytes();
  EXPECT_THAT(Feed({}).result.error().message(), HasSubstr("no flattened stream"));
  EXPECT_THAT(Feed(AsBytes("KDUMP   ")).result.error().message(), HasSubstr("no flattened stream"));
  EXPECT_THAT(Feed(ByteBuffer(5000)).result.error().message(),
              HasSubstr("no flattened stream: it does not begin with 'makedumpfile'"));
  EXPECT_EQ(ReadAsIs(ByteBuffer(5000)),
            "no flattened stream: it does not begin with 'makedumpfile'");
  for (size_t field : {16u, 24u}) {
    ByteBuffer other = stream;
    other[field + 7] = std::byte{2};
    EXPECT_EQ(Feed(other).result.error().kind(), ErrorKind::kUnsupported);
    EXPECT_THAT(ReadAsIs(other), HasSubstr("of type"));
  }
}

TEST(Unflatten, CutStreamsKeepWhatThereIs) {
  ByteBuffer stream = Stream().Add(0, "abc").Add(6, "def").End().bytes();
  struct Case {
    size_t size;
    std::string text;
  };
  for (const Case& c :
       std::initializer_list<Case>{{4096, ""},
                                   {4096 + 15, ""},
                                   {4096 + 16 + 3, "abc"},
                                   {4096 + 16 + 3 + 10, "abc"},
                                   {stream.size() - 16, std::string("abc\0\0\0def", 9)},
                                   {stream.size() - 1, std::string("abc\0\0\0def", 9)}}) {
    ByteView cut = ByteView(stream).first(c.size);
    Outcome outcome = Feed(cut);
    ASSERT_TRUE(outcome.result) << c.size;
    ASSERT_TRUE(outcome.result->failure) << c.size;
    EXPECT_EQ(outcome.result->failure->kind(), ErrorKind::kTruncated);
    EXPECT_THAT(outcome.result->failure->message(),
                HasSubstr(fmt::format("the stream ends at offset {:#x}", c.size)));
    EXPECT_EQ(outcome.text, c.text) << c.size;
    EXPECT_FALSE(FlattenedSource::Open(MemoryFile(cut))) << c.size;
  }
}

// A record that is only begun is written as far as it goes when it is longer than a piece.
TEST(Unflatten, CutWithinALongRecord) {
  ByteBuffer stream = Stream().Add(0, std::string(1'000'000, 'x')).bytes();
  Outcome outcome = Feed(ByteView(stream).first(900'000));
  EXPECT_TRUE(outcome.result->failure);
  EXPECT_GT(outcome.text.size(), 500'000u);
}

TEST(Unflatten, HostileOffsetsAreRefused) {
  constexpr uint64_t kMost = uint64_t{1} << 50;
  struct Case {
    uint64_t offset, size;
  };
  for (const Case& c : std::initializer_list<Case>{{kMost, 1},
                                                   {kMost + 1, 0},
                                                   {0, kMost + 1},
                                                   {UINT64_MAX, 1},
                                                   {1, UINT64_MAX},
                                                   {UINT64_MAX - 2, 3},
                                                   {uint64_t{1} << 63, 1},
                                                   {UINT64_MAX, UINT64_MAX - 1}}) {
    ByteBuffer stream = Stream().Add(0, "abc").AddHeader(c.offset, c.size, "xyz").End().bytes();
    Outcome outcome = Feed(stream);
    ASSERT_TRUE(outcome.result->failure) << c.offset;
    EXPECT_THAT(outcome.result->failure->message(),
                HasSubstr("the record at offset 0x1013 of the stream"));
    EXPECT_EQ(outcome.text, "abc");
    EXPECT_THAT(ReadAsIs(stream), HasSubstr("the record at offset 0x1013 of the stream"));
  }
}

TEST(Unflatten, RecordThatIsLongerThanTheStream) {
  ByteBuffer stream = Stream().AddHeader(0, uint64_t{1} << 40, "abc").bytes();
  EXPECT_EQ(Feed(stream).result->failure->kind(), ErrorKind::kTruncated);
  EXPECT_THAT(ReadAsIs(stream), HasSubstr("within the record at 0x1000"));
}

TEST(Unflatten, FullDiskKeepsWhatThereIs) {
  UniqueFd stream = MemoryFile(Stream().Add(0, "abc").End().bytes());
  UniqueFd full = OpenFile("/dev/full", O_RDWR).value();
  Result<Unflattened> result = Unflatten(stream.get(), full.get(), never_stop);
  ASSERT_TRUE(result && result->failure);
  EXPECT_EQ(result->failure->error_number(), ENOSPC);
}

TEST(Unflatten, Stops) {
  std::atomic<bool> stop = true;
  UniqueFd output = MemoryFile({});
  Result<Unflattened> result =
      Unflatten(MemoryFile(Stream().End().bytes()).get(), output.get(), stop);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message(), HasSubstr("interrupted"));
}

TEST(Unflatten, FromAPipeInSmallPieces) {
  ByteBuffer stream = Stream().Add(0, std::string(10'000, 'x')).Add(20'000, "end").End().bytes();
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  UniqueFd read_end(fds[0]), write_end(fds[1]);
  ASSERT_TRUE(WriteFully(write_end.get(), stream));
  write_end.reset();
  UniqueFd output = MemoryFile({});
  Result<Unflattened> result = Unflatten(read_end.get(), output.get(), never_stop);
  ASSERT_TRUE(result && !result->failure);
  EXPECT_EQ(Contents(output.get()).size(), 20'003u);
}

// makedumpfile writes the headers first, and they say that the dump is whole.
TEST(Unflatten, CutDumpIsMarkedIncomplete) {
  ByteBuffer image = MakeKdumpImage({});
  std::string text(AsText(image));
  ByteBuffer stream = Stream().Add(0, text).bytes();
  UniqueFd output = MemoryFile({});
  ASSERT_TRUE(Unflatten(MemoryFile(stream).get(), output.get(), never_stop)->failure);
  auto dump = KdumpReader::Open(std::move(output)).value();
  EXPECT_TRUE(dump->info().incomplete());
  EXPECT_EQ(dump->info().header.status & ~uint64_t{kKdumpIncomplete},
            KdumpReader::Open(MemoryFile(image)).value()->info().header.status);
}

// A stream of KdumpWriter has the header last; what is kept of it early makes up for that.
TEST(Unflatten, CutStreamOfOursOpens) {
  ByteBuffer image = MakeKdumpImage({});
  ByteView all = image;
  ByteBuffer beginning(all.begin(), all.begin() + 464);
  beginning[424] |= static_cast<std::byte>(kKdumpIncomplete);
  UniqueFd file = MemoryFile({});
  FlattenedStream stream(file.get());
  stream.Announce(beginning);
  ASSERT_TRUE(stream.WriteAt(FileOffset(4096), all.subspan(4096)));
  UniqueFd output = MemoryFile({});
  lseek(file.get(), 0, SEEK_SET);
  Result<Unflattened> made = Unflatten(file.get(), output.get(), never_stop);
  ASSERT_TRUE(made && made->failure);
  EXPECT_FALSE(made->has_beginning);
  auto dump = KdumpReader::Open(std::move(output)).value();
  EXPECT_TRUE(dump->info().incomplete());
  ByteBuffer page(kImageBlock);
  EXPECT_EQ(KdumpPageReader(*dump).Read(kCompressedPage, page).value(), PageState::kRead);
  EXPECT_EQ(page, ImagePage(kCompressedPage));
}

// The real header counts, whenever it comes.
TEST(Unflatten, AnnouncedBeginningIsNotUsedWithoutNeed) {
  UniqueFd file = MemoryFile({});
  FlattenedStream stream(file.get());
  stream.Announce(AsBytes("announced"));
  ASSERT_TRUE(stream.WriteAt(FileOffset(0), AsBytes("x")));
  ByteBuffer cut = Contents(file.get());
  ASSERT_TRUE(stream.End());
  EXPECT_EQ(Feed(Contents(file.get())).text, "x");
  EXPECT_EQ(Feed(cut).text, "x");
}

TEST(FlattenedSource, IsADump) {
  std::string text(AsText(MakeKdumpImage({})));
  std::string_view image = text;
  Stream stream;
  stream.Add(5000, image.substr(5000)).Add(0, image.substr(0, 5000)).End();
  auto dump = KdumpReader::Open(FlattenedSource::Open(MemoryFile(stream.bytes())).value()).value();
  ByteBuffer page(kImageBlock);
  EXPECT_EQ(KdumpPageReader(*dump).Read(kCompressedPage, page).value(), PageState::kRead);
  EXPECT_EQ(page, ImagePage(kCompressedPage));
}

TEST(FlattenedSource, ReadsBeyondTheEndFail) {
  auto source = FlattenedSource::Open(MemoryFile(Stream().Add(0, "abc").End().bytes())).value();
  ByteBuffer buffer(2);
  EXPECT_EQ(source->size(), 3u);
  EXPECT_TRUE(source->ReadFullyAt(FileOffset(1), buffer));
  for (uint64_t offset : {uint64_t{2}, uint64_t{4}, UINT64_MAX})
    EXPECT_EQ(source->ReadFullyAt(FileOffset(offset), buffer).error().kind(),
              ErrorKind::kTruncated);
}

}  // namespace
}  // namespace kdumpkit
