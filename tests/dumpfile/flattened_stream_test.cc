// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/flattened_stream.h"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <cerrno>
#include <thread>

#include "base/file.h"
#include "dumpfile/kdump_writer.h"
#include "tests/dumpfile/kdump_image.h"
#include "tests/support/rearrange.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

ByteBuffer Contents(int fd) {
  off_t size = lseek(fd, 0, SEEK_END);
  ByteBuffer bytes(static_cast<size_t>(size));
  CHECK(ReadFullyAt(fd, FileOffset(0), bytes).has_value());
  return bytes;
}

// Everything that is not zero, as "offset: hex" lines of 16 bytes.
std::string Hex(ByteView bytes) {
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 16) {
    ByteView line = bytes.subspan(at, std::min<size_t>(16, bytes.size() - at));
    if (IsZero(line)) continue;
    text += fmt::format("{:x}:", at);
    for (std::byte byte : line) text += fmt::format(" {:02x}", static_cast<unsigned>(byte));
    text += '\n';
  }
  return text;
}

TEST(FlattenedStream, GoldenBytes) {
  UniqueFd file = MemoryFile({});
  FlattenedStream stream(file.get());
  ASSERT_TRUE(stream.WriteAt(FileOffset(0x123456789a), AsBytes("sixteen bytes...")));
  ASSERT_TRUE(stream.Reserve(FileOffset(0x1000), FileOffset(0x2000)));
  ASSERT_TRUE(stream.WriteAt(FileOffset(7), {}));
  ASSERT_TRUE(stream.WriteAt(FileOffset(2), AsBytes("another sixteen.")));
  ASSERT_TRUE(stream.End());
  EXPECT_EQ(Hex(Contents(file.get())),
            "0: 6d 61 6b 65 64 75 6d 70 66 69 6c 65 00 00 00 00\n"
            "10: 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 01\n"
            "1000: 00 00 00 12 34 56 78 9a 00 00 00 00 00 00 00 10\n"
            "1010: 73 69 78 74 65 65 6e 20 62 79 74 65 73 2e 2e 2e\n"
            "1020: 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 10\n"
            "1030: 61 6e 6f 74 68 65 72 20 73 69 78 74 65 65 6e 2e\n"
            "1040: ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff\n");
}

TEST(FlattenedStream, AnEmptyDumpIsAWholeStream) {
  UniqueFd file = MemoryFile({});
  FlattenedStream stream(file.get());
  ASSERT_TRUE(stream.End());
  EXPECT_TRUE(Rearrange(Contents(file.get())).empty());
  EXPECT_EQ(Contents(file.get()).size(), 4096u + 16);
}

TEST(FlattenedStream, RecordsOfSeveralThreadsStayWhole) {
  UniqueFd file = MemoryFile({});
  FlattenedStream stream(file.get());
  std::vector<std::thread> threads;
  for (uint64_t number = 0; number < 4; ++number)
    threads.emplace_back([&stream, number] {
      ByteBuffer bytes(1000, static_cast<std::byte>(number + 1));
      for (uint64_t i = 0; i < 50; ++i)
        EXPECT_TRUE(stream.WriteAt(FileOffset((4 * i + number) * bytes.size()), bytes));
    });
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(stream.End());
  ByteBuffer dump = Rearrange(Contents(file.get()));
  ASSERT_EQ(dump.size(), 200'000u);
  for (size_t at = 0; at < dump.size(); ++at)
    ASSERT_EQ(dump[at], static_cast<std::byte>(at / 1000 % 4 + 1)) << at;
}

TEST(FlattenedStream, FullDeviceFails) {
  UniqueFd full = *OpenFile("/dev/full", O_RDWR);
  FlattenedStream stream(full.get());
  Status status = stream.WriteAt(FileOffset(0), AsBytes("page"));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().error_number(), ENOSPC);
}

// The same pages through a stream and into a file.
class FlattenedDump : public testing::Test {
 protected:
  FlattenedDump() {
    parameters_.block_size = 4096;
    parameters_.max_mapnr = 64;
    parameters_.notes = AsBytes("notes");
  }

  // Two pages, of which only the first is written when `whole` is false.
  ByteBuffer Dump(std::unique_ptr<DumpSink> sink, int fd, bool whole) {
    KdumpWriter writer = KdumpWriter::Create(std::move(sink), parameters_, 2).value();
    ByteBuffer bits(writer.bitmap_bytes());
    bits[0] = std::byte{0x11};
    EXPECT_TRUE(writer.WriteBitmap(KdumpWriter::Bitmap::kExisting, 0, bits));
    EXPECT_TRUE(writer.WriteBitmap(KdumpWriter::Bitmap::kDumped, 0, bits));
    EXPECT_TRUE(writer.BeginData());
    ByteBuffer page(4096, std::byte{0x77});
    for (uint64_t i = 0; i < (whole ? 2 : 1); ++i) {
      FileOffset at = writer.data_start() + i * page.size();
      PageDescriptor descriptor{at.value, 4096, 0};
      EXPECT_TRUE(writer.WritePages(i, {&descriptor, 1}, at, page));
    }
    EXPECT_TRUE(writer.Finish(whole));
    return Contents(fd);
  }
  ByteBuffer Streamed(bool whole) {
    UniqueFd file = MemoryFile({});
    return Rearrange(Dump(std::make_unique<FlattenedStream>(file.get()), file.get(), whole));
  }
  ByteBuffer Written(bool whole) {
    UniqueFd file = MemoryFile({});
    return Dump(std::make_unique<FileSink>(file.get()), file.get(), whole);
  }

  KdumpParameters parameters_;
};

TEST_F(FlattenedDump, IsTheSameDump) { EXPECT_EQ(Hex(Streamed(true)), Hex(Written(true))); }

// Other readers pass over it; Unflatten makes up a header of it when the stream is cut.
TEST_F(FlattenedDump, HeaderIsAnnouncedAsIncomplete) {
  UniqueFd file = MemoryFile({});
  ByteBuffer stream = Dump(std::make_unique<FlattenedStream>(file.get()), file.get(), true);
  ByteBuffer dump = Written(true);
  ByteView announced = ByteView(stream).subspan(2048, 464);
  ByteBuffer expected(dump.begin(), dump.begin() + 464);
  expected[424] |= std::byte{0x8};
  EXPECT_EQ(Hex(announced), Hex(expected));
}

TEST_F(FlattenedDump, StaysIncompleteWhenThePagesDid) {
  EXPECT_EQ(Hex(Streamed(false)), Hex(Written(false)));
}

TEST_F(FlattenedDump, AFailureOfThePipeIsReported) {
  UniqueFd full = *OpenFile("/dev/full", O_RDWR);
  KdumpWriter writer =
      KdumpWriter::Create(std::make_unique<FlattenedStream>(full.get()), parameters_, 1).value();
  PageDescriptor hole;
  Status status = writer.WritePages(0, {&hole, 1}, writer.data_start(), {});
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("writing page descriptors"));
  EXPECT_FALSE(writer.Finish(true));
}

}  // namespace
}  // namespace kdumpkit
