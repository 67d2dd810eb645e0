// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/kdump_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <thread>

#include "base/file.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

constexpr TargetAbi kLp64{ByteOrder::kLittle, 8, 8};
constexpr TargetAbi kLp64Big{ByteOrder::kBig, 8, 8};
constexpr TargetAbi kI386{ByteOrder::kLittle, 4, 4};
constexpr TargetAbi kArm{ByteOrder::kLittle, 4, 8};
constexpr uint32_t kBlock = 4096;

class KdumpWriterTest : public testing::Test {
 protected:
  KdumpWriterTest()
      : fd_(*OpenFile(dir_.File("dump"), O_RDWR | O_CREAT, 0600)),
        notes_(AsBytes("NOTEHEADERvmcoreinfo text")) {
    parameters_.block_size = kBlock;
    parameters_.max_mapnr = 100;
    parameters_.utsname = {"Linux", "node", "6.1.0", "#1 SMP", "x86_64", "(none)"};
    parameters_.crash_time = 0x65432100;
    parameters_.cpu_count = 2;
    parameters_.phys_base = 0xffffffffe2400000;
    parameters_.dump_level = 31;
    parameters_.codec = Codec::kZstd;
    parameters_.notes = notes_;
    parameters_.vmcoreinfo_offset = 10;
    parameters_.vmcoreinfo_size = 15;
  }

  KdumpWriter Create(uint64_t page_count = 2) {
    auto writer = KdumpWriter::Create(fd_.get(), parameters_, page_count);
    CHECK(writer.has_value());
    return std::move(*writer);
  }

  // A dump of page frames 3 and 65: one page of 5 bytes and one hole.
  void WriteSmallDump(const TargetAbi& abi, bool complete) {
    parameters_.abi = abi;
    KdumpWriter writer = Create();
    ByteBuffer bitmap(writer.bitmap_bytes());
    bitmap[0] = std::byte{0x0f};
    bitmap[8] = std::byte{0x03};
    ASSERT_TRUE(writer.WriteBitmap(KdumpWriter::Bitmap::kExisting, 0, bitmap));
    bitmap[0] = std::byte{0x08};
    bitmap[8] = std::byte{0x02};
    ASSERT_TRUE(writer.WriteBitmap(KdumpWriter::Bitmap::kDumped, 0, bitmap));
    ASSERT_TRUE(writer.BeginData());
    FileOffset at = writer.data_start();
    PageDescriptor pages[] = {{at.value, 5, 0x20}, {}};
    ASSERT_TRUE(writer.WritePages(0, pages, at, AsBytes("PAGE3")));
    ASSERT_TRUE(writer.Finish(complete));
  }

  ByteBuffer Bytes(uint64_t offset, size_t size) {
    ByteBuffer bytes(size);
    CHECK(ReadFullyAt(fd_.get(), FileOffset(offset), bytes).has_value());
    return bytes;
  }
  std::string Text(uint64_t offset, size_t size) {
    return std::string(AsText(Bytes(offset, size)));
  }
  template <typename T = uint32_t>
  T Number(uint64_t offset, ByteOrder order = ByteOrder::kLittle) {
    return LoadUnchecked<T>(Bytes(offset, sizeof(T)).data(), order);
  }
  uint64_t FileSize() {
    struct stat status;
    CHECK(fstat(fd_.get(), &status) == 0);
    return static_cast<uint64_t>(status.st_size);
  }
  // Everything in the file that is not zero, as "offset: hex" lines of 8 bytes.
  std::string HexDump() {
    std::string text;
    ByteBuffer bytes = Bytes(0, FileSize());
    bytes.resize((bytes.size() + 7) / 8 * 8);
    for (size_t at = 0; at < bytes.size(); at += 8) {
      ByteView line = ByteView(bytes).subspan(at, 8);
      if (IsZero(line)) continue;
      text += fmt::format("{:x}:", at);
      for (std::byte byte : line) text += fmt::format(" {:02x}", static_cast<unsigned>(byte));
      text += '\n';
    }
    return text;
  }
  std::string CreateError(uint64_t page_count = 2) {
    auto writer = KdumpWriter::Create(fd_.get(), parameters_, page_count);
    return writer ? "created" : writer.error().message();
  }

  TempDir dir_;
  UniqueFd fd_;
  ByteView notes_;
  KdumpParameters parameters_;
};

// The utsname strings are at the same place in every ABI.
constexpr char kGoldenUtsname[] =
    "8: 06 00 00 00 4c 69 6e 75\n"
    "10: 78 00 00 00 00 00 00 00\n"
    "48: 00 00 00 00 00 6e 6f 64\n"
    "50: 65 00 00 00 00 00 00 00\n"
    "88: 00 00 00 00 00 00 36 2e\n"
    "90: 31 2e 30 00 00 00 00 00\n"
    "c8: 00 00 00 00 00 00 00 23\n"
    "d0: 31 20 53 4d 50 00 00 00\n"
    "110: 78 38 36 5f 36 34 00 00\n"
    "150: 00 28 6e 6f 6e 65 29 00\n";

TEST_F(KdumpWriterTest, GoldenBytesLp64) {
  WriteSmallDump(kLp64, true);
  EXPECT_EQ(HexDump(), std::string("0: 4b 44 55 4d 50 20 20 20\n") + kGoldenUtsname +
                           "198: 00 21 43 65 00 00 00 00\n"   // tv_sec
                           "1a8: 20 00 00 00 00 10 00 00\n"   // status, block_size
                           "1b0: 01 00 00 00 02 00 00 00\n"   // sub_hdr_size, bitmap_blocks
                           "1b8: 64 00 00 00 00 00 00 00\n"   // max_mapnr
                           "1c8: 00 00 00 00 02 00 00 00\n"   // nr_cpus
                           "1000: 00 00 40 e2 ff ff ff ff\n"  // phys_base
                           "1008: 1f 00 00 00 00 00 00 00\n"  // dump_level, split
                           "1020: 72 10 00 00 00 00 00 00\n"  // offset_vmcoreinfo
                           "1028: 0f 00 00 00 00 00 00 00\n"  // size_vmcoreinfo
                           "1030: 68 10 00 00 00 00 00 00\n"  // offset_note
                           "1038: 19 00 00 00 00 00 00 00\n"  // size_note
                           "1060: 64 00 00 00 00 00 00 00\n"  // max_mapnr_64
                           "1068: 4e 4f 54 45 48 45 41 44\n"  // notes
                           "1070: 45 52 76 6d 63 6f 72 65\n"
                           "1078: 69 6e 66 6f 20 74 65 78\n"
                           "1080: 74 00 00 00 00 00 00 00\n"
                           "2000: 0f 00 00 00 00 00 00 00\n"  // bitmap 1
                           "2008: 03 00 00 00 00 00 00 00\n"
                           "3000: 08 00 00 00 00 00 00 00\n"  // bitmap 2
                           "3008: 02 00 00 00 00 00 00 00\n"
                           "4000: 30 40 00 00 00 00 00 00\n"    // page_desc 0: offset
                           "4008: 05 00 00 00 20 00 00 00\n"    // size, flags; page_desc 1: hole
                           "4030: 50 41 47 45 33 00 00 00\n");  // data
}

TEST_F(KdumpWriterTest, GoldenBytesLp64BigEndian) {
  WriteSmallDump(kLp64Big, true);
  std::string utsname = kGoldenUtsname;
  utsname.replace(0, 17, "8: 00 00 00 06 4c");
  EXPECT_EQ(HexDump(), "0: 4b 44 55 4d 50 20 20 20\n" + utsname +
                           "198: 00 00 00 00 65 43 21 00\n"
                           "1a8: 00 00 00 20 00 00 10 00\n"
                           "1b0: 00 00 00 01 00 00 00 02\n"
                           "1b8: 00 00 00 64 00 00 00 00\n"
                           "1c8: 00 00 00 00 00 00 00 02\n"
                           "1000: ff ff ff ff e2 40 00 00\n"
                           "1008: 00 00 00 1f 00 00 00 00\n"
                           "1020: 00 00 00 00 00 00 10 72\n"
                           "1028: 00 00 00 00 00 00 00 0f\n"
                           "1030: 00 00 00 00 00 00 10 68\n"
                           "1038: 00 00 00 00 00 00 00 19\n"
                           "1060: 00 00 00 00 00 00 00 64\n"
                           "1068: 4e 4f 54 45 48 45 41 44\n"
                           "1070: 45 52 76 6d 63 6f 72 65\n"
                           "1078: 69 6e 66 6f 20 74 65 78\n"
                           "1080: 74 00 00 00 00 00 00 00\n"
                           "2000: 0f 00 00 00 00 00 00 00\n"
                           "2008: 03 00 00 00 00 00 00 00\n"
                           "3000: 08 00 00 00 00 00 00 00\n"
                           "3008: 02 00 00 00 00 00 00 00\n"
                           "4000: 00 00 00 00 00 00 40 30\n"
                           "4008: 00 00 00 05 00 00 00 20\n"
                           "4030: 50 41 47 45 33 00 00 00\n");
}

constexpr char kGolden32Main[] =
    "190: 00 00 00 00 00 21 43 65\n"    // tv_sec
    "198: 00 00 00 00 20 00 00 00\n"    // status
    "1a0: 00 10 00 00 01 00 00 00\n"    // block_size, sub_hdr_size
    "1a8: 02 00 00 00 64 00 00 00\n"    // bitmap_blocks, max_mapnr
    "1c0: 02 00 00 00 00 00 00 00\n"    // nr_cpus
    "1000: 00 00 40 e2 1f 00 00 00\n";  // phys_base, dump_level

constexpr char kGolden32Rest[] =
    "2000: 0f 00 00 00 00 00 00 00\n"
    "2008: 03 00 00 00 00 00 00 00\n"
    "3000: 08 00 00 00 00 00 00 00\n"
    "3008: 02 00 00 00 00 00 00 00\n"
    "4000: 30 40 00 00 00 00 00 00\n"
    "4008: 05 00 00 00 20 00 00 00\n"
    "4030: 50 41 47 45 33 00 00 00\n";

TEST_F(KdumpWriterTest, GoldenBytesI386) {
  WriteSmallDump(kI386, true);
  EXPECT_EQ(HexDump(), std::string("0: 4b 44 55 4d 50 20 20 20\n") + kGoldenUtsname +
                           kGolden32Main +
                           "1010: 00 00 00 00 5a 10 00 00\n"  // offset_vmcoreinfo at 20
                           "1018: 00 00 00 00 0f 00 00 00\n"  // size_vmcoreinfo
                           "1020: 50 10 00 00 00 00 00 00\n"  // offset_note
                           "1028: 19 00 00 00 00 00 00 00\n"  // size_note
                           "1048: 64 00 00 00 00 00 00 00\n"  // max_mapnr_64 at 72
                           "1050: 4e 4f 54 45 48 45 41 44\n"
                           "1058: 45 52 76 6d 63 6f 72 65\n"
                           "1060: 69 6e 66 6f 20 74 65 78\n"
                           "1068: 74 00 00 00 00 00 00 00\n" +
                           kGolden32Rest);
}

TEST_F(KdumpWriterTest, GoldenBytesArm) {
  WriteSmallDump(kArm, true);
  EXPECT_EQ(HexDump(), std::string("0: 4b 44 55 4d 50 20 20 20\n") + kGoldenUtsname +
                           kGolden32Main +
                           "1018: 6a 10 00 00 00 00 00 00\n"  // offset_vmcoreinfo at 24
                           "1020: 0f 00 00 00 00 00 00 00\n"  // size_vmcoreinfo
                           "1028: 60 10 00 00 00 00 00 00\n"  // offset_note
                           "1030: 19 00 00 00 00 00 00 00\n"  // size_note
                           "1058: 64 00 00 00 00 00 00 00\n"  // max_mapnr_64 at 88
                           "1060: 4e 4f 54 45 48 45 41 44\n"
                           "1068: 45 52 76 6d 63 6f 72 65\n"
                           "1070: 69 6e 66 6f 20 74 65 78\n"
                           "1078: 74 00 00 00 00 00 00 00\n" +
                           kGolden32Rest);
}

TEST_F(KdumpWriterTest, NothingIsRecognizableBeforeBeginData) {
  KdumpWriter writer = Create();
  ASSERT_TRUE(writer.WriteBitmap(KdumpWriter::Bitmap::kDumped, 0, ByteBuffer(kBlock)));
  EXPECT_EQ(Text(0, 8), std::string(8, '\0'));
}

TEST_F(KdumpWriterTest, IncompleteFromBeginDataOn) {
  KdumpWriter writer = Create();
  ASSERT_TRUE(writer.BeginData());
  EXPECT_EQ(Number(424), 0x28u);
  EXPECT_EQ(FileSize(), writer.data_start().value);
  EXPECT_TRUE(IsZero(Bytes(writer.data_start().value - 48, 48)));
}

TEST_F(KdumpWriterTest, FinishRemovesTheIncompleteMark) {
  KdumpWriter writer = Create();
  ASSERT_TRUE(writer.BeginData());
  ASSERT_TRUE(writer.Finish(true));
  EXPECT_EQ(Number(424), 0x20u);
}

TEST_F(KdumpWriterTest, FinishKeepsTheIncompleteMark) {
  WriteSmallDump(kLp64, false);
  EXPECT_EQ(Number(424), 0x28u);
}

TEST_F(KdumpWriterTest, UncompressedHasNoCodecBit) {
  parameters_.codec = Codec::kNone;
  WriteSmallDump(kLp64, true);
  EXPECT_EQ(Number(424), 0u);
}

TEST_F(KdumpWriterTest, DumpOfNoPageEndsAfterTheBitmaps) {
  KdumpWriter writer = Create(0);
  ASSERT_TRUE(writer.BeginData());
  EXPECT_EQ(FileSize(), 4 * uint64_t{kBlock});
  EXPECT_EQ(writer.data_start(), FileOffset(4 * uint64_t{kBlock}));
  EXPECT_TRUE(writer.WritePages(0, {}, writer.data_start(), {}));
  EXPECT_TRUE(writer.Finish(true));
}

TEST_F(KdumpWriterTest, WithoutNotesTheirFieldsAreZero) {
  parameters_.notes = {};
  parameters_.vmcoreinfo_offset = parameters_.vmcoreinfo_size = 0;
  WriteSmallDump(kLp64, true);
  EXPECT_TRUE(IsZero(Bytes(kBlock + 32, 32)));
}

TEST_F(KdumpWriterTest, NotesOfSeveralBlocksMoveTheBitmaps) {
  ByteBuffer notes(2 * kBlock);
  parameters_.notes = notes;
  KdumpWriter writer = Create();
  ASSERT_TRUE(writer.BeginData());
  EXPECT_EQ(Number(432), 3u);  // 104 + 8192 bytes
  EXPECT_EQ(writer.data_start(), FileOffset((1 + 3 + 2) * kBlock + 48));
}

TEST_F(KdumpWriterTest, NotesThatJustFitABlock) {
  ByteBuffer notes(kBlock - 104);
  parameters_.notes = notes;
  KdumpWriter writer = Create();
  ASSERT_TRUE(writer.BeginData());
  EXPECT_EQ(Number(432), 1u);
}

TEST_F(KdumpWriterTest, BitmapsAreWholeBlocks) {
  parameters_.max_mapnr = kBlock * 8;
  EXPECT_EQ(Create().bitmap_bytes(), kBlock);
  parameters_.max_mapnr = kBlock * 8 + 1;
  EXPECT_EQ(Create().bitmap_bytes(), 2 * kBlock);
  parameters_.max_mapnr = 1;
  EXPECT_EQ(Create(1).bitmap_bytes(), kBlock);
}

TEST_F(KdumpWriterTest, BitmapIsWrittenPiecewise) {
  parameters_.max_mapnr = kBlock * 8 + 3;
  KdumpWriter writer = Create();
  ByteBuffer first(kBlock, std::byte{1}), second(kBlock, std::byte{2});
  ASSERT_TRUE(writer.WriteBitmap(KdumpWriter::Bitmap::kDumped, kBlock, second));
  ASSERT_TRUE(writer.WriteBitmap(KdumpWriter::Bitmap::kDumped, 0, first));
  EXPECT_EQ(Bytes(4 * kBlock, kBlock), first);
  EXPECT_EQ(Bytes(5 * kBlock, kBlock), second);
}

TEST_F(KdumpWriterTest, LargeBlocks) {
  parameters_.block_size = 65536;
  KdumpWriter writer = Create();
  ASSERT_TRUE(writer.BeginData());
  EXPECT_EQ(Number(428), 65536u);
  EXPECT_EQ(writer.bitmap_bytes(), 65536u);
  EXPECT_EQ(writer.data_start(), FileOffset(4 * 65536 + 48));
  EXPECT_EQ(Number<uint64_t>(65536), parameters_.phys_base);
}

TEST_F(KdumpWriterTest, MaxMapnrBeyond32BitsSaturates) {
  parameters_.max_mapnr = (uint64_t{1} << 33) + 5;  // 32 TiB
  KdumpWriter writer = Create();
  EXPECT_EQ(writer.bitmap_bytes(), (uint64_t{1} << 30) + kBlock);
  ASSERT_TRUE(writer.BeginData());
  EXPECT_EQ(Number(440), 0xffffffffu);
  EXPECT_EQ(Number<uint64_t>(kBlock + 96), parameters_.max_mapnr);
}

TEST_F(KdumpWriterTest, OutOfRangeParametersAreRefused) {
  KdumpParameters good = parameters_;
  for (uint32_t size : {0u, 1u, 2048u, 4097u, 2u << 20}) {
    parameters_.block_size = size;
    EXPECT_THAT(CreateError(), HasSubstr("page size")) << size;
  }
  parameters_ = good;
  parameters_.max_mapnr = 0;
  EXPECT_THAT(CreateError(0), HasSubstr("no memory"));
  for (uint64_t frames : {uint64_t{1} << 46, uint64_t{1} << 63, ~uint64_t{0}}) {
    parameters_.max_mapnr = frames;
    EXPECT_THAT(CreateError(), HasSubstr("do not fit")) << frames;
  }
}

TEST_F(KdumpWriterTest, MorePagesThanFramesAreRefused) {
  EXPECT_THAT(CreateError(101), HasSubstr("101 pages"));
}

TEST_F(KdumpWriterTest, VmcoreinfoOutsideTheNotesIsRefused) {
  parameters_.vmcoreinfo_size = 16;
  EXPECT_THAT(CreateError(), HasSubstr("VMCOREINFO"));
  parameters_.vmcoreinfo_offset = ~size_t{0};
  EXPECT_THAT(CreateError(), HasSubstr("VMCOREINFO"));
}

TEST_F(KdumpWriterTest, ParallelWritersFillTheTable) {
  constexpr uint64_t kPages = 64;
  KdumpWriter writer = Create(kPages);
  ASSERT_TRUE(writer.BeginData());
  auto write_half = [&](uint64_t half) {
    for (uint64_t i = half; i < kPages; i += 2) {
      FileOffset at = writer.data_start() + i;
      PageDescriptor page{at.value, 1, 0};
      auto byte = static_cast<std::byte>(i);
      CHECK(writer.WritePages(i, {&page, 1}, at, {&byte, 1}).has_value());
    }
  };
  std::thread other(write_half, 1);
  write_half(0);
  other.join();
  for (uint64_t i = 0; i < kPages; ++i) {
    uint64_t offset = Number<uint64_t>(4 * kBlock + i * 24);
    EXPECT_EQ(offset, writer.data_start().value + i);
    EXPECT_EQ(Number<uint8_t>(offset), i);
  }
}

// Lets writes beyond `limit` bytes fail with EFBIG (after a short write up to it), as a full disk
// does with ENOSPC.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(uint64_t limit) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit low{limit, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &low);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_;
  void (*handler_)(int);
};

TEST_F(KdumpWriterTest, FailedDataWriteLeavesNoDescriptor) {
  KdumpWriter writer = Create();
  ASSERT_TRUE(writer.BeginData());
  FileOffset at = writer.data_start();
  PageDescriptor page{at.value, 100, 0};
  FileSizeLimit full(at.value + 50);
  Status status = writer.WritePages(0, {&page, 1}, at, ByteBuffer(100));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().error_number(), EFBIG);
  EXPECT_TRUE(IsZero(Bytes(at.value - 48, 48)));
}

TEST_F(KdumpWriterTest, DescriptorCutInTwoBecomesAHole) {
  KdumpWriter writer = Create();
  ASSERT_TRUE(writer.BeginData());
  uint64_t table = writer.data_start().value - 48;
  PageDescriptor pages[] = {{writer.data_start().value, 4096, 0},
                            {writer.data_start().value, 4096, 0}};
  FileSizeLimit full(table + 24 + 8);
  Status status = writer.WritePages(0, pages, writer.data_start(), {});
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("page descriptors"));
  EXPECT_TRUE(IsZero(Bytes(table, 48)));
}

TEST_F(KdumpWriterTest, FullDiskShowsInBeginData) {
  KdumpWriter writer = Create(100);
  FileSizeLimit full(writer.data_start().value - 1);
  Status status = writer.BeginData();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().error_number(), EFBIG);
  EXPECT_THAT(status.error().message(), HasSubstr("page descriptors"));
}

TEST(KdumpWriter, FullDeviceFails) {
  UniqueFd full = *OpenFile("/dev/full", O_RDWR);
  KdumpParameters parameters;
  parameters.block_size = kBlock;
  parameters.max_mapnr = 1;
  auto writer = KdumpWriter::Create(full.get(), parameters, 0);
  ASSERT_TRUE(writer);
  Status status = writer->BeginData();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().error_number(), ENOSPC);
}

}  // namespace
}  // namespace kdumpkit
