// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/vmcore.h"

#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "base/file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/vmcore_builder.h"

namespace kdumpkit {
namespace {

constexpr size_t kPage = 4096;

std::unique_ptr<Vmcore> MustOpen(const std::string& path) {
  Result<std::unique_ptr<Vmcore>> core = Vmcore::Open(path);
  CHECK(core.has_value());
  return std::move(*core);
}

// A core file on disk and its reader.
class Fixture {
 public:
  explicit Fixture(const VmcoreBuilder& builder, std::optional<uint64_t> cut_to = std::nullopt)
      : path_(builder.WriteTo(dir_.File("vmcore"))) {
    if (cut_to) CHECK(truncate(path_.c_str(), static_cast<off_t>(*cut_to)) == 0);
    core_ = MustOpen(path_);
    reader_ = core_->NewReader();
  }
  const std::string& path() const { return path_; }
  const Vmcore& core() const { return *core_; }
  MemoryReader& reader() { return *reader_; }
  Result<ByteView> View(uint64_t address, size_t size) {
    return reader_->View(PhysAddr(address), size);
  }

 private:
  TempDir dir_;
  std::string path_;
  std::unique_ptr<Vmcore> core_;
  std::unique_ptr<MemoryReader> reader_;
};

ByteBuffer Part(const ByteBuffer& bytes, size_t begin, size_t size) {
  return {bytes.begin() + static_cast<ptrdiff_t>(begin),
          bytes.begin() + static_cast<ptrdiff_t>(begin + size)};
}

void ExpectView(Fixture& fixture, uint64_t address, const ByteBuffer& expected) {
  Result<ByteView> view = fixture.View(address, expected.size());
  ASSERT_TRUE(view) << view.error().message();
  EXPECT_TRUE(std::equal(view->begin(), view->end(), expected.begin(), expected.end()));
}

void ExpectError(Fixture& fixture, uint64_t address, size_t size, ErrorKind kind) {
  Result<ByteView> view = fixture.View(address, size);
  ASSERT_FALSE(view) << fmt::format("{:#x}", address);
  EXPECT_EQ(view.error().kind(), kind) << view.error().message();
  EXPECT_NE(view.error().message().find(fixture.path()), std::string::npos);
}

VmcoreBuilder TwoSegments() {
  VmcoreBuilder builder;
  builder.AddCpu().AddCpu().AddVmcoreinfo("OSRELEASE=6.1.0\n");
  builder.AddSegment(PhysAddr(0x1000), VirtAddr(0xffff888000001000), PatternBytes(3 * kPage, 1));
  builder.AddSegment(PhysAddr(0x4000), PatternBytes(2 * kPage, 2));
  return builder;
}

class VmcoreOrder : public testing::TestWithParam<ByteOrder> {};
INSTANTIATE_TEST_SUITE_P(Both, VmcoreOrder, testing::Values(ByteOrder::kLittle, ByteOrder::kBig));

TEST_P(VmcoreOrder, OpensAndReads) {
  ByteBuffer data = PatternBytes(3 * kPage, 1);
  VmcoreBuilder builder(GetParam(), EM_PPC64);
  builder.AddCpu().AddVmcoreinfo("OSRELEASE=6.1.0\n").AddSegment(PhysAddr(0x1000), data);
  Fixture fixture(builder);
  EXPECT_EQ(fixture.core().machine(), EM_PPC64);
  EXPECT_EQ(fixture.core().order(), GetParam());
  EXPECT_EQ(fixture.core().word_size(), 8);
  EXPECT_TRUE(fixture.core().warnings().empty());
  ASSERT_NE(fixture.core().vmcoreinfo(), nullptr);
  EXPECT_EQ(AsText(fixture.core().vmcoreinfo()->desc), "OSRELEASE=6.1.0\n");
  ExpectView(fixture, 0x1000, data);
}

TEST(Vmcore, MissingFileIsNamed) {
  auto core = Vmcore::Open("/nonexistent/vmcore");
  ASSERT_FALSE(core);
  EXPECT_EQ(core.error().error_number(), ENOENT);
  EXPECT_NE(core.error().message().find("'/nonexistent/vmcore'"), std::string::npos);
}

TEST(Vmcore, PipeIsRefused) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  UniqueFd in(fds[0]);
  UniqueFd out(fds[1]);
  auto core = Vmcore::Open(fmt::format("/proc/self/fd/{}", in.get()));
  ASSERT_FALSE(core);
  EXPECT_EQ(core.error().error_number(), ESPIPE);
}

TEST(Vmcore, SegmentsAreGivenInFileOrder) {
  VmcoreBuilder builder = TwoSegments();
  builder.AddSegment(PhysAddr(0), VirtAddr(5), PatternBytes(16, 3), 0x100);
  Fixture fixture(builder);
  std::span<const Segment> segments = fixture.core().segments();
  ASSERT_EQ(segments.size(), 3u);
  EXPECT_EQ(segments[0].paddr, PhysAddr(0x1000));
  EXPECT_EQ(segments[0].vaddr, VirtAddr(0xffff888000001000));
  EXPECT_EQ(segments[1].offset, FileOffset(builder.SegmentOffset(1)));
  EXPECT_EQ(segments[2].vaddr, VirtAddr(5));
  EXPECT_EQ(segments[2].file_size, 16u);
  EXPECT_EQ(segments[2].memory_size, 0x100u);
}

TEST(Vmcore, SegmentsOfSeveralNotePartsAreJoined) {
  VmcoreBuilder builder;
  builder.AddCpu().NewNoteSegment().AddVmcoreinfo("A=1\n").NewNoteSegment().AddCpu();
  builder.AddSegment(PhysAddr(0), PatternBytes(kPage, 1));
  Fixture fixture(builder);
  EXPECT_EQ(fixture.core().notes().size(), 3u);
  EXPECT_EQ(fixture.core().cpu_count(), 2u);
  const Note* info = fixture.core().vmcoreinfo();
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(AsText(fixture.core().raw_notes().subspan(info->raw_offset, info->desc.size())),
            "A=1\n");
}

TEST(Vmcore, NoNotesIsNoError) {
  VmcoreBuilder builder;
  builder.AddSegment(PhysAddr(0), PatternBytes(kPage, 1));
  Fixture fixture(builder);
  EXPECT_EQ(fixture.core().vmcoreinfo(), nullptr);
  EXPECT_EQ(fixture.core().cpu_count(), 0u);
  EXPECT_TRUE(fixture.core().raw_notes().empty());
}

TEST(Vmcore, OtherCoreNotesAreNotCpus) {
  VmcoreBuilder builder;
  builder.AddCpu().AddNote("CORE", NT_PRPSINFO, {}).AddNote("LINUX", NT_PRSTATUS, {});
  builder.AddSegment(PhysAddr(0), PatternBytes(kPage, 1));
  EXPECT_EQ(Fixture(builder).core().cpu_count(), 1u);
}

TEST(Vmcore, DamagedNoteIsAWarningAndTheRestIsUsed) {
  VmcoreBuilder builder;
  builder.AddVmcoreinfo("A=1\n").AddRawNoteBytes(PatternBytes(20, 1)).NewNoteSegment().AddCpu();
  builder.AddSegment(PhysAddr(0), PatternBytes(kPage, 1));
  Fixture fixture(builder);
  EXPECT_NE(fixture.core().vmcoreinfo(), nullptr);
  EXPECT_EQ(fixture.core().cpu_count(), 1u);
  ASSERT_EQ(fixture.core().warnings().size(), 1u);
  EXPECT_NE(fixture.core().warnings()[0].find("note at 0x101c:"), std::string::npos);
}

TEST(Vmcore, NotesBeyondTheFile) {
  TempDir dir;
  VmcoreBuilder builder = TwoSegments();
  std::string path = builder.WriteTo(dir.File("vmcore"));
  ASSERT_EQ(truncate(path.c_str(), static_cast<off_t>(builder.NotesOffset() + 10)), 0);
  auto core = Vmcore::Open(path);
  ASSERT_FALSE(core);
  EXPECT_EQ(core.error().kind(), ErrorKind::kTruncated);
  EXPECT_NE(core.error().message().find("notes at 0x1000"), std::string::npos);
}

// --- damaged program headers ---

constexpr size_t kOffsetField = 8;
constexpr size_t kPaddrField = 24;
constexpr size_t kFileSizeField = 32;
constexpr size_t kMemorySizeField = 40;

Result<std::unique_ptr<Vmcore>> OpenWith(size_t header, size_t field, uint64_t value) {
  TempDir dir;
  VmcoreBuilder builder = TwoSegments();
  ByteBuffer bytes = builder.Build();
  StoreUnchecked(bytes.data() + builder.ProgramHeaderOffset(header) + field, value,
                 ByteOrder::kLittle);
  return Vmcore::Open(dir.Write("vmcore", AsText(bytes)));
}

void ExpectMalformed(const Result<std::unique_ptr<Vmcore>>& core, std::string_view text) {
  ASSERT_FALSE(core) << text;
  EXPECT_EQ(core.error().kind(), ErrorKind::kMalformed);
  EXPECT_NE(core.error().message().find(text), std::string::npos) << core.error().message();
}

TEST(VmcoreDamage, OffsetThatWraps) {
  ExpectMalformed(OpenWith(1, kOffsetField, UINT64_MAX - 5), "wraps around");
}

TEST(VmcoreDamage, AddressThatWraps) {
  ExpectMalformed(OpenWith(1, kPaddrField, UINT64_MAX - 5), "wraps around");
}

TEST(VmcoreDamage, MoreInTheFileThanInMemory) {
  ExpectMalformed(OpenWith(1, kMemorySizeField, 0x2fff),
                  "has 0x3000 bytes in the file for 0x2fff of memory");
}

TEST(VmcoreDamage, FileSizeBeyondMemorySize) {
  ExpectMalformed(OpenWith(1, kFileSizeField, 0x3001), "in the file for");
}

TEST(VmcoreDamage, HugeSegmentIsATruncatedFile) {
  TempDir dir;
  VmcoreBuilder builder = TwoSegments();
  ByteBuffer bytes = builder.Build();
  for (size_t field : {kFileSizeField, kMemorySizeField})
    StoreUnchecked(bytes.data() + builder.ProgramHeaderOffset(2) + field, uint64_t{1} << 62,
                   ByteOrder::kLittle);
  auto core = Vmcore::Open(dir.Write("vmcore", AsText(bytes)));
  ASSERT_TRUE(core);
  EXPECT_EQ((*core)->truncated_at(), FileOffset(bytes.size()));
}

TEST(VmcoreDamage, NotesThatWrap) {
  auto core = OpenWith(0, kOffsetField, UINT64_MAX);
  ASSERT_FALSE(core);
  EXPECT_EQ(core.error().kind(), ErrorKind::kTruncated);
}

TEST(VmcoreDamage, TooManyNoteBytes) {
  TempDir dir;
  VmcoreBuilder builder = TwoSegments();
  builder.AddZeroSegment(PhysAddr(0x100000), VirtAddr(0), uint64_t{300} << 20);
  std::string path = builder.WriteTo(dir.File("vmcore"));
  std::byte size[8];
  StoreUnchecked(size, uint64_t{300} << 20, ByteOrder::kLittle);
  UniqueFd fd = *OpenFile(path, O_RDWR);
  FileOffset field(builder.ProgramHeaderOffset(0) + kFileSizeField);
  ASSERT_TRUE(WriteFullyAt(fd.get(), field, size));
  auto core = Vmcore::Open(path);
  ASSERT_FALSE(core);
  EXPECT_EQ(core.error().kind(), ErrorKind::kUnsupported);
}

TEST(VmcoreDamage, NoSegment) {
  TempDir dir;
  VmcoreBuilder builder;
  builder.AddCpu();
  ExpectMalformed(Vmcore::Open(builder.WriteTo(dir.File("vmcore"))), "no segment");
}

// Opens what must not crash, and reads all that it offers.
void OpenAndReadAll(const std::string& path) {
  auto core = Vmcore::Open(path);
  if (!core) return;
  auto reader = (*core)->NewReader();
  for (const PhysRange& range : (*core)->ranges()) {
    uint64_t end = std::min(range.size, uint64_t{8} * kPage);
    for (uint64_t at = 0; at < end; at += kPage) {
      Result<ByteView> view = reader->View(range.base + at, kPage);
      if (!view) {
        EXPECT_EQ(view.error().kind(), ErrorKind::kTruncated);
      }
    }
  }
}

TEST(VmcoreDamage, EveryByteOfTheHeadersInTurn) {
  TempDir dir;
  VmcoreBuilder builder = TwoSegments();
  ByteBuffer bytes = builder.Build();
  for (size_t at = 0; at < builder.ProgramHeaderOffset(3); ++at) {
    for (std::byte bad : {std::byte{0}, std::byte{0xff}, bytes[at] ^ std::byte{0x80}}) {
      ByteBuffer damaged = bytes;
      damaged[at] = bad;
      OpenAndReadAll(dir.Write("vmcore", AsText(damaged)));
    }
  }
}

TEST(VmcoreDamage, EveryPrefix) {
  TempDir dir;
  VmcoreBuilder builder = TwoSegments();
  std::string path = builder.WriteTo(dir.File("vmcore"));
  for (uint64_t size = builder.FileSize(); size > 0; size -= std::min<uint64_t>(size, 61)) {
    ASSERT_EQ(truncate(path.c_str(), static_cast<off_t>(size)), 0);
    auto core = Vmcore::Open(path);
    EXPECT_EQ(core.has_value(), size >= builder.NotesOffset() + 2 * 356 + 40) << size;
    if (!core) {
      EXPECT_EQ(core.error().kind(), ErrorKind::kTruncated);
    }
    OpenAndReadAll(path);
  }
}

// --- where memory is ---

TEST(VmcoreView, AcrossTwoSegments) {
  Fixture fixture(TwoSegments());
  ByteBuffer expected = PatternBytes(3 * kPage, 1);
  ByteBuffer second = PatternBytes(2 * kPage, 2);
  expected.insert(expected.end(), second.begin(), second.end());
  ExpectView(fixture, 0x1000, expected);
  ExpectView(fixture, 0x3ff0, Part(expected, 0x2ff0, 32));
}

TEST(VmcoreView, UnsortedSegments) {
  VmcoreBuilder builder;
  builder.AddSegment(PhysAddr(0x9000), PatternBytes(kPage, 9));
  builder.AddSegment(PhysAddr(0x1000), PatternBytes(kPage, 1));
  Fixture fixture(builder);
  ExpectView(fixture, 0x1000, PatternBytes(kPage, 1));
  ExpectView(fixture, 0x9000, PatternBytes(kPage, 9));
  ASSERT_EQ(fixture.core().ranges().size(), 2u);
  EXPECT_EQ(fixture.core().ranges()[0], (PhysRange{PhysAddr(0x1000), kPage}));
}

TEST(VmcoreView, OverlappingSegmentsAreOneMemory) {
  ByteBuffer memory = PatternBytes(8 * kPage, 1);
  VmcoreBuilder builder;
  builder.AddSegment(PhysAddr(0x12000), VirtAddr(0xffffffff81000000), Part(memory, 0x2000, 0x3000));
  builder.AddSegment(PhysAddr(0x10000), VirtAddr(0xffff888000010000), memory);
  Fixture fixture(builder);
  ASSERT_EQ(fixture.core().ranges().size(), 1u);
  ExpectView(fixture, 0x10000, memory);
}

TEST(VmcoreView, TruncatedCopyIsReadFromTheOtherSegment) {
  ByteBuffer memory = PatternBytes(8 * kPage, 1);
  VmcoreBuilder builder;
  builder.AddSegment(PhysAddr(0x12000), VirtAddr(0xffffffff81000000), Part(memory, 0x2000, 0x3000));
  builder.AddSegment(PhysAddr(0x10000), VirtAddr(0xffff888000010000), memory);
  Fixture fixture(builder, builder.SegmentOffset(1) + kPage);
  ExpectView(fixture, 0x10000, Part(memory, 0, kPage));
  ExpectError(fixture, 0x11000, kPage, ErrorKind::kTruncated);
  ExpectView(fixture, 0x12000, Part(memory, 0x2000, 0x3000));
  ExpectError(fixture, 0x14ff0, 32, ErrorKind::kTruncated);
}

TEST(VmcoreView, FractionalPagesAreFilledWithZeros) {
  ByteBuffer data = PatternBytes(0x1800, 1);
  VmcoreBuilder builder;
  builder.AddSegment(PhysAddr(0x1c00), data);
  Fixture fixture(builder);
  EXPECT_EQ(fixture.core().ranges()[0], (PhysRange{PhysAddr(0x1c00), 0x1800}));
  ByteBuffer first(kPage);
  std::copy_n(data.begin(), 0x400, first.begin() + 0xc00);
  ExpectView(fixture, 0x1000, first);
  ByteBuffer last(kPage);
  std::copy_n(data.begin() + 0x1400, 0x400, last.begin());
  ExpectView(fixture, 0x3000, last);
}

TEST(VmcoreView, HoleBetweenSegmentsIsZero) {
  VmcoreBuilder builder;
  builder.AddSegment(PhysAddr(0x1000), PatternBytes(kPage, 1));
  builder.AddSegment(PhysAddr(0x3000), PatternBytes(kPage, 3));
  Fixture fixture(builder);
  ByteBuffer expected = PatternBytes(kPage, 1);
  expected.resize(2 * kPage);
  ByteBuffer second = PatternBytes(kPage, 3);
  expected.insert(expected.end(), second.begin(), second.end());
  ExpectView(fixture, 0x1000, expected);
}

TEST(VmcoreView, NoMemoryAtAllIsMalformed) {
  Fixture fixture(TwoSegments());
  ExpectError(fixture, 0, kPage, ErrorKind::kMalformed);
  ExpectError(fixture, 0x6000, kPage, ErrorKind::kMalformed);
  ExpectError(fixture, UINT64_MAX, kPage, ErrorKind::kMalformed);
}

TEST(VmcoreView, EndOfTheAddressSpace) {
  VmcoreBuilder builder;
  ByteBuffer data = PatternBytes(0xfff, 1);
  builder.AddSegment(PhysAddr(UINT64_MAX - 0xfff), data);
  Fixture fixture(builder);
  data.resize(kPage);
  ExpectView(fixture, UINT64_MAX - 0xfff, data);
  ExpectView(fixture, UINT64_MAX - 1, Part(data, 0xffe, 2));
}

TEST(VmcoreView, EmptyAndTooLarge) {
  Fixture fixture(TwoSegments());
  EXPECT_TRUE(fixture.View(0x1000, 0)->empty());
  Result<ByteView> view = fixture.View(0x1000, MemoryReader::kMaxView + 1);
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().kind(), ErrorKind::kUsage);
}

TEST(VmcoreView, LargestView) {
  ByteBuffer data = PatternBytes(MemoryReader::kMaxView, 1);
  VmcoreBuilder builder;
  builder.AddSegment(PhysAddr(0), data);
  Fixture fixture(builder);
  ExpectView(fixture, 0, data);
}

TEST(VmcoreView, BytesThatAFilterLeftOutDoNotExist) {
  VmcoreBuilder builder;
  builder.AddSegment(PhysAddr(0x1000), VirtAddr(0), PatternBytes(kPage, 1), 4 * kPage);
  Fixture fixture(builder);
  ASSERT_EQ(fixture.core().ranges().size(), 1u);
  EXPECT_EQ(fixture.core().ranges()[0], (PhysRange{PhysAddr(0x1000), kPage}));
  ExpectError(fixture, 0x2000, kPage, ErrorKind::kMalformed);
}

TEST(VmcoreView, EmptySegmentsAreNoMemory) {
  VmcoreBuilder builder = TwoSegments();
  builder.AddSegment(PhysAddr(0x100000), ByteBuffer());
  Fixture fixture(builder);
  EXPECT_EQ(fixture.core().segments().size(), 3u);
  EXPECT_EQ(fixture.core().ranges().size(), 1u);
}

TEST(VmcoreView, SegmentsWithoutPhysicalAddressAreSkipped) {
  VmcoreBuilder builder = TwoSegments();
  builder.AddSegment(PhysAddr(UINT64_MAX), VirtAddr(0xffffc90000000000), PatternBytes(kPage, 3));
  EXPECT_EQ(Fixture(builder).core().segments().size(), 2u);
}

TEST(VmcoreView, WithinOneSegmentNothingIsCopied) {
  Fixture fixture(TwoSegments());
  const std::byte* first = fixture.View(0x1000, kPage)->data();
  EXPECT_EQ(fixture.View(0x2000, kPage)->data(), first + kPage);
}

// --- truncated files ---

TEST(VmcoreTruncated, ReadablePartIsUsableAndTheRestAnError) {
  VmcoreBuilder builder = TwoSegments();
  Fixture fixture(builder, builder.SegmentOffset(1) + 0x800);
  EXPECT_EQ(fixture.core().truncated_at(), FileOffset(builder.SegmentOffset(1) + 0x800));
  ASSERT_EQ(fixture.core().warnings().size(), 1u);
  EXPECT_NE(fixture.core().warnings()[0].find("it is truncated"), std::string::npos);
  EXPECT_EQ(fixture.core().ranges()[0], (PhysRange{PhysAddr(0x1000), 5 * kPage}));
  ExpectView(fixture, 0x3000, Part(PatternBytes(3 * kPage, 1), 2 * kPage, kPage));
  ExpectError(fixture, 0x4000, kPage, ErrorKind::kTruncated);
  ExpectError(fixture, 0x5000, kPage, ErrorKind::kTruncated);
  ExpectView(fixture, 0x4000, Part(PatternBytes(2 * kPage, 2), 0, 0x800));
}

TEST(VmcoreTruncated, WholeFileIsNotTruncated) {
  VmcoreBuilder builder = TwoSegments();
  EXPECT_EQ(Fixture(builder).core().truncated_at(), std::nullopt);
  // An empty segment needs no bytes, wherever it points.
  builder.AddSegment(PhysAddr(0), ByteBuffer());
  Fixture fixture(builder, builder.SegmentOffset(1) + 2 * kPage);
  EXPECT_EQ(fixture.core().truncated_at(), std::nullopt);
}

TEST(VmcoreTruncated, FileThatShrinksWhileItIsRead) {
  VmcoreBuilder builder = TwoSegments();
  Fixture fixture(builder);
  ASSERT_EQ(truncate(fixture.path().c_str(), static_cast<off_t>(builder.SegmentOffset(0))), 0);
  ExpectError(fixture, 0x1000, kPage, ErrorKind::kTruncated);
}

// --- scale ---

TEST(VmcoreScale, SeventyThousandSegments) {
  VmcoreBuilder builder;
  constexpr uint64_t kCount = 70000;
  builder.AddVmcoreinfo("A=1\n");
  builder.layout().page_size = 16;
  for (uint64_t i = 0; i < kCount; ++i) {
    ByteBuffer data(16);
    StoreUnchecked(data.data(), i, ByteOrder::kLittle);
    builder.AddSegment(PhysAddr(i * 32), data);
  }
  Fixture fixture(builder);
  ASSERT_EQ(fixture.core().segments().size(), kCount);
  for (uint64_t i : {uint64_t{0}, uint64_t{1}, uint64_t{65535}, kCount - 1}) {
    Result<ByteView> view = fixture.View(i * 32, 8);
    ASSERT_TRUE(view);
    EXPECT_EQ(LoadUnchecked<uint64_t>(view->data(), ByteOrder::kLittle), i);
  }
}

TEST(VmcoreScale, TwoReadersAtOnce) {
  ByteBuffer data = PatternBytes(size_t{8} << 20, 1);
  VmcoreBuilder builder;
  builder.AddSegment(PhysAddr(0), data);
  Fixture fixture(builder);
  int wrong[2] = {};
  auto scan = [&](int which, size_t step) {
    auto reader = fixture.core().NewReader();
    for (size_t at = 0; at < data.size(); at += step) {
      Result<ByteView> view = reader->View(PhysAddr(at), step);
      if (!view || !std::equal(view->begin(), view->end(), data.begin() + ptrdiff_t(at)))
        ++wrong[which];
    }
  };
  std::thread one(scan, 0, size_t{4096});
  std::thread two(scan, 1, size_t{65536});
  one.join();
  two.join();
  EXPECT_EQ(wrong[0], 0);
  EXPECT_EQ(wrong[1], 0);
}

}  // namespace
}  // namespace kdumpkit
