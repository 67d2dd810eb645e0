// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/pipeline.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "dumpfile/kdump_reader.h"
#include "dumpfile/kdump_writer.h"
#include "filter/page_batches.h"
#include "tests/support/fake_memory.h"
#include "tests/support/temp_dir.h"
#include "tests/support/vmcore_builder.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kPages = 3 * PageBatches::kPages + 5;

class PipelineTest : public ::testing::Test {
 protected:
  // Every third page is zero, the others differ from each other.
  PipelineTest() : kept_(kPages, runs_) {
    memory_.AddRange(PhysAddr(0), kPages * kPage);
    for (uint64_t pfn = 0; pfn < kPages; ++pfn) {
      if (pfn % 3 != 0) memory_.Write(PhysAddr(pfn * kPage), Contents(pfn));
    }
  }

  static ByteBuffer Contents(uint64_t pfn) {
    ByteBuffer page = PatternBytes(kPage, pfn);
    // Half of the pages shrink, the others do not.
    if (pfn % 2 == 0) std::fill(page.begin() + 512, page.end(), std::byte{0x55});
    return page;
  }

  KdumpWriter Begin(int fd, Codec codec) {
    KdumpParameters parameters;
    parameters.block_size = kPage;
    parameters.max_mapnr = kPages;
    parameters.codec = codec;
    KdumpWriter writer = KdumpWriter::Create(fd, parameters, kept_.CountAll()).value();
    ByteBuffer bits = kept_.Bytes(0, writer.bitmap_bytes());
    EXPECT_TRUE(writer.WriteBitmap(KdumpWriter::Bitmap::kExisting, 0, bits));
    EXPECT_TRUE(writer.WriteBitmap(KdumpWriter::Bitmap::kDumped, 0, bits));
    EXPECT_TRUE(writer.BeginData());
    return writer;
  }

  // Streams into a new file and returns its path; the result is in result_.
  std::string Stream(const MemorySource& source, Codec codec, int threads,
                     const std::atomic<bool>* stop = nullptr) {
    std::string path = dir_.File(fmt::format("dump{}", ++files_));
    UniqueFd fd = OpenFile(path, O_RDWR | O_CREAT | O_EXCL, 0600).value();
    KdumpWriter writer = Begin(fd.get(), codec);
    result_ = StreamPages(source, kept_, &writer, {codec, kPage, threads, nullptr, stop}).value();
    bool complete = result_.reached_end() && result_.unreadable_pages == 0;
    EXPECT_TRUE(writer.Finish(complete));
    return path;
  }

  static std::string Bytes(const std::string& path) {
    UniqueFd fd = OpenFile(path, O_RDONLY).value();
    return std::string(AsText(ReadToEnd(fd.get(), size_t{64} << 20).value()));
  }
  static std::unique_ptr<KdumpReader> Open(const std::string& path) {
    return std::move(KdumpReader::Open(OpenFile(path, O_RDONLY).value())).value();
  }

  TempDir dir_;
  int files_ = 0;
  FakeMemory memory_;
  std::vector<PfnRun> runs_ = {{0, kPages}};
  PageBitmap kept_;
  PipelineResult result_;
};

TEST_F(PipelineTest, EveryPageComesBackWithEveryCodec) {
  for (Codec codec : {Codec::kNone, Codec::kZlib, Codec::kLzo, Codec::kSnappy, Codec::kZstd}) {
    std::unique_ptr<KdumpReader> dump = Open(Stream(memory_, codec, 2));
    EXPECT_FALSE(dump->info().incomplete());
    KdumpPageReader reader(*dump);
    ByteBuffer page(kPage);
    for (uint64_t pfn = 0; pfn < kPages; ++pfn) {
      ASSERT_EQ(reader.Read(Pfn(pfn), page).value(), PageState::kRead);
      ASSERT_EQ(page, pfn % 3 == 0 ? ByteBuffer(kPage) : Contents(pfn)) << pfn;
    }
    EXPECT_EQ(result_.pages, kPages);
    EXPECT_EQ(result_.zero_pages, (kPages + 2) / 3);
  }
}

TEST_F(PipelineTest, ThreadsDoNotChangeTheBytes) {
  std::string one = Bytes(Stream(memory_, Codec::kLzo, 1));
  for (int threads : {2, 3, 8}) EXPECT_TRUE(Bytes(Stream(memory_, Codec::kLzo, threads)) == one);
}

TEST_F(PipelineTest, ZeroPagesShareOnePage) {
  std::unique_ptr<KdumpReader> dump = Open(Stream(memory_, Codec::kNone, 1));
  PageDescriptor first = dump->ReadDescriptor(Pfn(0)).value();
  EXPECT_EQ(dump->ReadDescriptor(Pfn(3)).value().offset, first.offset);
  EXPECT_EQ(first.flags, 0u);
  EXPECT_EQ(result_.data_bytes, (kPages - (kPages + 2) / 3 + 1) * kPage);
}

TEST_F(PipelineTest, UnreadablePagesBecomeHoles) {
  FaultyMemory faulty(memory_);
  faulty.Fail(PhysAddr(7 * kPage + 100), kPage);  // touches two pages
  faulty.Fail(PhysAddr(200 * kPage), 1);
  std::unique_ptr<KdumpReader> dump = Open(Stream(faulty, Codec::kZstd, 2));
  EXPECT_TRUE(dump->info().incomplete());
  EXPECT_EQ(result_.unreadable_pages, 3u);
  EXPECT_EQ(result_.unreadable, (std::vector<PhysRange>{{PhysAddr(7 * kPage), 2 * kPage},
                                                        {PhysAddr(200 * kPage), kPage}}));
  EXPECT_EQ(result_.pages, kPages - 3);
  EXPECT_FALSE(result_.unreadable_reason.empty());
  KdumpPageReader reader(*dump);
  ByteBuffer page(kPage);
  EXPECT_EQ(reader.Read(Pfn(7), page).value(), PageState::kLost);
  EXPECT_EQ(reader.Read(Pfn(200), page).value(), PageState::kLost);
  EXPECT_EQ(reader.Read(Pfn(10), page).value(), PageState::kRead);
  EXPECT_EQ(page, Contents(10));
}

TEST_F(PipelineTest, StopsWhenTold) {
  std::atomic<bool> stop = true;
  std::unique_ptr<KdumpReader> dump = Open(Stream(memory_, Codec::kLzo, 3, &stop));
  EXPECT_TRUE(result_.stopped);
  EXPECT_FALSE(result_.reached_end());
  EXPECT_TRUE(dump->info().incomplete());
}

TEST_F(PipelineTest, DryRunCountsTheSameBytes) {
  Stream(memory_, Codec::kLzo, 1);
  uint64_t written = result_.data_bytes;
  PipelineResult dry =
      StreamPages(memory_, kept_, nullptr, {Codec::kLzo, kPage, 2, nullptr, nullptr}).value();
  EXPECT_EQ(dry.data_bytes, written);
  EXPECT_EQ(dry.pages, kPages);
}

TEST_F(PipelineTest, AFailedWriteEndsAllThreads) {
  std::string path = dir_.File("dump");
  UniqueFd fd = OpenFile(path, O_RDWR | O_CREAT, 0600).value();
  KdumpWriter writer = Begin(fd.get(), Codec::kNone);
  // The same file, no longer writable: every write fails with EBADF.
  UniqueFd read_only = OpenFile(path, O_RDONLY).value();
  ASSERT_EQ(dup2(read_only.get(), fd.get()), fd.get());
  Result<PipelineResult> result =
      StreamPages(memory_, kept_, &writer, {Codec::kNone, kPage, 4, nullptr, nullptr});
  // The first write, of the shared zero page, already fails.
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().error_number(), EBADF);
}

}  // namespace
}  // namespace kdumpkit
