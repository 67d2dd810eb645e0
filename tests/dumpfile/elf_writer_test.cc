// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/elf_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "dumpfile/flattened_stream.h"
#include "elf/notes.h"
#include "elf/vmcore.h"
#include "tests/support/rearrange.h"
#include "tests/support/temp_dir.h"
#include "tests/support/vmcore_builder.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint16_t kX86_64 = 62, k386 = 3;

ElfParameters Parameters(std::vector<ElfSegment> segments, ByteView notes = {}) {
  ElfParameters parameters;
  parameters.machine = kX86_64;
  parameters.page_size = kPage;
  parameters.segments = std::move(segments);
  parameters.runs = {{0, 0}};
  parameters.notes = notes;
  return parameters;
}

// Four pages: data, zeros, data, data; a part of the first and of the last is memory.
class ElfWriterTest : public testing::Test {
 protected:
  static std::vector<ElfSegment> Segments() {
    return {{VirtAddr(0xffffffff81000000), PhysAddr(2 * kPage), 2 * kPage, 2 * kPage, 1},
            {VirtAddr(0xffff888000001200), PhysAddr(kPage + 0x200), 4 * kPage - 0x300,
             9 * kPage - 0x200, 0}};
  }
  std::unique_ptr<ElfWriter> Begin(std::unique_ptr<DumpSink> sink, ElfParameters parameters,
                                   uint64_t pages = 4) {
    auto writer = ElfWriter::Create(std::move(sink), std::move(parameters), pages).value();
    EXPECT_TRUE(writer->Begin());
    return writer;
  }
  std::unique_ptr<DumpSink> File() {
    fd_ = OpenFile(dir_.File("core"), O_RDWR | O_CREAT | O_TRUNC, 0600).value();
    return std::make_unique<FileSink>(fd_.get());
  }
  // Data of pages 0, 2 and 3; `lost` cannot be read.
  void Write(const ElfWriter& writer, std::optional<size_t> lost = std::nullopt) {
    uint64_t start = writer.data_start().value, at = start + kPage;
    std::vector<PageDescriptor> pages;
    ByteBuffer data;
    for (size_t i = 0; i < 4; ++i) {
      if (i == lost) {
        pages.push_back({});
      } else if (i == 1) {
        pages.push_back({start, kPage, 0});
      } else {
        pages.push_back({at + data.size(), kPage, 0});
        ByteBuffer bytes = PatternBytes(kPage, i);
        data.insert(data.end(), bytes.begin(), bytes.end());
      }
    }
    EXPECT_TRUE(writer.WritePages(0, pages, FileOffset(at), data));
  }
  std::unique_ptr<Vmcore> Open() { return Vmcore::Open(dir_.File("core")).value(); }
  ByteBuffer Bytes(const std::string& path) {
    return ReadToEnd(OpenFile(path, O_RDONLY).value().get(), size_t{1} << 24).value();
  }

  TempDir dir_;
  UniqueFd fd_;
};

TEST_F(ElfWriterTest, WhatIsWrittenIsRead) {
  ByteBuffer notes = MakeNote("VMCOREINFO", AsBytes("OSRELEASE=6.1\n"), ByteOrder::kLittle);
  auto writer = Begin(File(), Parameters(Segments(), notes));
  Write(*writer);
  // It opens before it is finished, and says that it is not.
  EXPECT_TRUE(Open()->marked_incomplete());
  ASSERT_TRUE(writer->Finish(true));
  std::unique_ptr<Vmcore> core = Open();
  EXPECT_FALSE(core->marked_incomplete());
  EXPECT_FALSE(core->truncated_at());
  EXPECT_EQ(AsText(core->vmcoreinfo()->desc), "OSRELEASE=6.1\n");
  ASSERT_EQ(core->segments().size(), 2u);
  EXPECT_EQ(core->segments()[0].vaddr.value, 0xffffffff81000000);
  EXPECT_EQ(core->segments()[1].memory_size, 9 * kPage - 0x200);
  auto reader = core->NewReader();
  ByteBuffer first = PatternBytes(kPage, 0);
  ByteView view = reader->View(PhysAddr(kPage + 0x200), kPage - 0x200).value();
  EXPECT_TRUE(std::ranges::equal(view, ByteView(first).subspan(0x200)));
  EXPECT_TRUE(IsZero(reader->View(PhysAddr(2 * kPage), kPage).value()));
  EXPECT_TRUE(
      std::ranges::equal(reader->View(PhysAddr(3 * kPage), kPage).value(), PatternBytes(kPage, 2)));
  EXPECT_FALSE(reader->View(PhysAddr(5 * kPage), kPage));
  EXPECT_EQ(std::filesystem::file_size(dir_.File("core")), writer->FileBytes(0));
}

TEST_F(ElfWriterTest, ALostPageIsCutOut) {
  auto writer = Begin(File(), Parameters(Segments()));
  Write(*writer, 2);
  ASSERT_TRUE(writer->Finish(false));
  std::unique_ptr<Vmcore> core = Open();
  EXPECT_TRUE(core->marked_incomplete());
  EXPECT_EQ(core->segments().size(), 3u);
  auto reader = core->NewReader();
  EXPECT_FALSE(reader->View(PhysAddr(3 * kPage), kPage));
  EXPECT_TRUE(std::ranges::equal(reader->View(PhysAddr(4 * kPage), 64).value(),
                                 ByteView(PatternBytes(kPage, 3)).first(64)));
}

TEST_F(ElfWriterTest, PagesThatNeverCameAreAbsent) {
  auto writer = Begin(File(), Parameters(Segments()));
  ASSERT_TRUE(writer->Finish(false));
  EXPECT_TRUE(Open()->ranges().empty());
}

// The table of a stream cannot be written again: the new one stands behind the data.
TEST_F(ElfWriterTest, AStreamIsTheSameCore) {
  for (std::optional<size_t> lost : {std::optional<size_t>(), std::optional<size_t>(2)}) {
    auto file = Begin(File(), Parameters(Segments()));
    Write(*file, lost);
    ASSERT_TRUE(file->Finish(!lost));
    UniqueFd fd = OpenFile(dir_.File("stream"), O_RDWR | O_CREAT | O_TRUNC, 0600).value();
    auto stream = Begin(std::make_unique<FlattenedStream>(fd.get()), Parameters(Segments()));
    Write(*stream, lost);
    ASSERT_TRUE(stream->Finish(!lost));
    ByteBuffer made = Rearrange(Bytes(dir_.File("stream")));
    if (!lost) {
      EXPECT_EQ(made, Bytes(dir_.File("core")));
    }
    std::unique_ptr<Vmcore> core = Vmcore::Open(dir_.Write("made", AsText(made))).value();
    EXPECT_EQ(std::ranges::equal(core->ranges(), Open()->ranges()), true);
    EXPECT_EQ(core->marked_incomplete(), lost.has_value());
  }
}

TEST_F(ElfWriterTest, MoreSegmentsThanTheHeaderCounts) {
  constexpr uint64_t kMany = 70000;
  std::vector<ElfSegment> segments;
  for (uint64_t i = 0; i < kMany; ++i)
    segments.push_back({VirtAddr(0), PhysAddr(2 * i * kPage), kPage, 2 * kPage, i});
  auto writer = Begin(File(), Parameters(std::move(segments)), kMany);
  std::vector<PageDescriptor> zeros(kMany, {writer->data_start().value, kPage, 0});
  ASSERT_TRUE(writer->WritePages(0, zeros, writer->data_start() + kPage, {}));
  ASSERT_TRUE(writer->Finish(true));
  std::unique_ptr<Vmcore> core = Open();
  EXPECT_EQ(core->segments().size(), kMany);
  EXPECT_EQ(core->ranges().size(), kMany);
  EXPECT_FALSE(core->truncated_at());
}

TEST_F(ElfWriterTest, A32BitMachineGetsTheClassThatFits) {
  for (bool fits : {true, false}) {
    ElfParameters parameters = Parameters({{VirtAddr(0), PhysAddr(kPage), kPage, kPage, 0}});
    parameters.machine = k386;
    parameters.word_size = 4;
    if (!fits) parameters.segments[0].paddr = PhysAddr(uint64_t{1} << 32);
    auto writer = Begin(File(), parameters, 1);
    ByteBuffer data = PatternBytes(kPage, 1);
    FileOffset at = writer->data_start() + kPage;
    std::vector<PageDescriptor> pages = {{at.value, kPage, 0}};
    ASSERT_TRUE(writer->WritePages(0, pages, at, data));
    ASSERT_TRUE(writer->Finish(true));
    EXPECT_EQ(Bytes(dir_.File("core"))[4], std::byte{static_cast<uint8_t>(fits ? 1 : 2)});
    std::unique_ptr<Vmcore> core = Open();
    EXPECT_EQ(core->word_size(), 4);
    EXPECT_TRUE(std::ranges::equal(
        core->NewReader()->View(core->segments()[0].paddr, kPage).value(), data));
  }
}

TEST(ElfWriter, TooManySegmentsAreRefused) {
  Result<std::unique_ptr<ElfWriter>> writer =
      ElfWriter::Create(std::make_unique<FileSink>(-1),
                        Parameters(std::vector<ElfSegment>((size_t{1} << 20) + 1)), 1);
  ASSERT_FALSE(writer);
  EXPECT_NE(writer.error().message().find("lower level"), std::string::npos);
}

}  // namespace
}  // namespace kdumpkit
