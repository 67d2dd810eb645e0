// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/headers.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/vmcore_builder.h"

namespace kdumpkit {
namespace {

VmcoreBuilder Sample(ByteOrder order = ByteOrder::kLittle) {
  VmcoreBuilder builder(order, order == ByteOrder::kLittle ? EM_X86_64 : EM_S390);
  builder.AddVmcoreinfo("OSRELEASE=6.1.0\n");
  builder.AddSegment(PhysAddr(0x1000), VirtAddr(0xffff888000001000), PatternBytes(4096, 1));
  builder.AddSegment(PhysAddr(0x100000), VirtAddr(0), PatternBytes(4096, 2), 8192);
  return builder;
}

class BytesSource final : public DataSource {
 public:
  explicit BytesSource(ByteView bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  Status ReadFullyAt(FileOffset offset, ByteSpan buffer) const override {
    if (offset.value > bytes_.size() || buffer.size() > bytes_.size() - offset.value)
      return Truncated("the file ends");
    std::ranges::copy(bytes_.subspan(offset.value, buffer.size()), buffer.begin());
    return {};
  }

 private:
  ByteView bytes_;
};

Result<ElfHeaders> Read(const ByteBuffer& bytes) { return ReadElfHeaders(BytesSource(bytes), "f"); }

template <typename T>
ByteBuffer With(size_t offset, T value) {
  ByteBuffer bytes = Sample().Build();
  StoreUnchecked(bytes.data() + offset, value, ByteOrder::kLittle);
  return bytes;
}

void ExpectError(const ByteBuffer& bytes, ErrorKind kind, const std::string& message) {
  Result<ElfHeaders> headers = Read(bytes);
  ASSERT_FALSE(headers) << message;
  EXPECT_EQ(headers.error().message(), message);
  EXPECT_EQ(headers.error().kind(), kind);
}

class HeadersOrder : public testing::TestWithParam<ByteOrder> {};
INSTANTIATE_TEST_SUITE_P(Both, HeadersOrder, testing::Values(ByteOrder::kLittle, ByteOrder::kBig));

TEST_P(HeadersOrder, FieldsAreRead) {
  VmcoreBuilder builder = Sample(GetParam());
  Result<ElfHeaders> headers = Read(builder.Build());
  ASSERT_TRUE(headers) << headers.error().message();
  EXPECT_EQ(headers->order, GetParam());
  EXPECT_EQ(headers->machine, GetParam() == ByteOrder::kLittle ? EM_X86_64 : EM_S390);
  ASSERT_EQ(headers->programs.size(), 3u);
  EXPECT_EQ(headers->programs[0].kind, ProgramHeaderKind::kNote);
  EXPECT_EQ(headers->programs[0].offset, builder.NotesOffset());
  EXPECT_EQ(headers->programs[1].kind, ProgramHeaderKind::kLoad);
  EXPECT_EQ(headers->programs[1].vaddr, 0xffff888000001000);
  EXPECT_EQ(headers->programs[1].paddr, 0x1000u);
  EXPECT_EQ(headers->programs[2].offset, builder.SegmentOffset(1));
  EXPECT_EQ(headers->programs[2].file_size, 4096u);
  EXPECT_EQ(headers->programs[2].memory_size, 8192u);
}

TEST_P(HeadersOrder, ExtendedNumbering) {
  VmcoreBuilder builder = Sample(GetParam());
  builder.layout().extended_numbering = true;
  Result<ElfHeaders> headers = Read(builder.Build());
  ASSERT_TRUE(headers) << headers.error().message();
  EXPECT_EQ(headers->programs.size(), 3u);
}

TEST(Headers, SectionsBeforeProgramHeadersAsInQemu) {
  VmcoreBuilder builder = Sample();
  builder.layout().sections_first = true;
  builder.layout().elf_header_size = 8;
  Result<ElfHeaders> headers = Read(builder.Build());
  ASSERT_TRUE(headers) << headers.error().message();
  EXPECT_EQ(headers->programs.size(), 3u);
}

TEST(Headers, LargerProgramHeadersAreSteppedOver) {
  VmcoreBuilder builder = Sample();
  builder.layout().program_header_size = 72;
  Result<ElfHeaders> headers = Read(builder.Build());
  ASSERT_TRUE(headers) << headers.error().message();
  ASSERT_EQ(headers->programs.size(), 3u);
  EXPECT_EQ(headers->programs[2].paddr, 0x100000u);
}

TEST(Headers, OtherKindsAreLeftOut) {
  Result<ElfHeaders> headers = Read(With<uint32_t>(Sample().ProgramHeaderOffset(1), PT_GNU_STACK));
  ASSERT_TRUE(headers) << headers.error().message();
  EXPECT_EQ(headers->programs.size(), 2u);
}

TEST(Headers, NotElf) {
  ExpectError(With(0, uint8_t{'K'}), ErrorKind::kMalformed,
              "'f': not an ELF file (it starts with 4b 45 4c 46)");
}

TEST(Headers, Elf32OfBothByteOrders) {
  for (ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
    for (bool extended : {false, true}) {
      VmcoreBuilder builder(order, EM_PPC);
      builder.layout().narrow = true;
      builder.layout().extended_numbering = extended;
      builder.AddVmcoreinfo("OSRELEASE=6.1.0\n");
      builder.AddSegment(PhysAddr(0xfffff000), VirtAddr(0xc0001000), PatternBytes(64, 1), 4096);
      ByteBuffer bytes = builder.Build();
      ElfHeaders headers = Read(bytes).value();
      EXPECT_FALSE(headers.wide);
      EXPECT_EQ(headers.order, order);
      EXPECT_EQ(headers.machine, EM_PPC);
      ASSERT_EQ(headers.programs.size(), 2u);
      const ProgramHeader& load = headers.programs[1];
      EXPECT_EQ(load.paddr, 0xfffff000u);
      EXPECT_EQ(load.vaddr, 0xc0001000u);
      EXPECT_EQ(load.offset, builder.SegmentOffset(0));
      EXPECT_EQ(load.file_size, 64u);
      EXPECT_EQ(load.memory_size, 4096u);
      for (size_t size = 0; size < builder.NotesOffset(); size += 7)
        (void)Read(ByteBuffer(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size)))
            .has_value();
    }
  }
}

TEST(Headers, UnknownClass) {
  ExpectError(With<uint8_t>(EI_CLASS, 3), ErrorKind::kMalformed, "'f': unknown ELF class 3 at 0x4");
}

TEST(Headers, UnknownByteOrder) {
  ExpectError(With<uint8_t>(EI_DATA, 0), ErrorKind::kMalformed,
              "'f': unknown ELF byte order 0 at 0x5");
}

TEST(Headers, UnknownIdentVersion) {
  ExpectError(With<uint8_t>(EI_VERSION, 2), ErrorKind::kMalformed,
              "'f': unknown ELF version 2 at 0x6");
}

TEST(Headers, NotACore) {
  ExpectError(With<uint16_t>(16, ET_EXEC), ErrorKind::kMalformed,
              "'f': ELF type 2 at 0x10 is not a core file");
}

TEST(Headers, UnknownVersion) {
  ExpectError(With<uint32_t>(20, 7), ErrorKind::kMalformed, "'f': unknown ELF version 7 at 0x14");
}

TEST(Headers, SmallProgramHeaders) {
  ExpectError(With<uint16_t>(54, 55), ErrorKind::kMalformed,
              "'f': program headers of 55 bytes (at 0x36) are too small");
}

TEST(Headers, ProgramHeadersBeyondTheFile) {
  std::string size = fmt::format("{:#x}", Sample().FileSize());
  ExpectError(With<uint64_t>(32, 0x100000), ErrorKind::kTruncated,
              "'f': the table of 3 program headers at 0x100000 (168 bytes) lies beyond the end of "
              "the file at " +
                  size);
  ExpectError(With<uint64_t>(32, UINT64_MAX), ErrorKind::kTruncated,
              "'f': the table of 3 program headers at 0xffffffffffffffff (168 bytes) lies beyond "
              "the end of the file at " +
                  size);
}

TEST(Headers, MoreProgramHeadersThanTheFileHolds) {
  Result<ElfHeaders> headers = Read(With<uint16_t>(56, 0xfffe));
  ASSERT_FALSE(headers);
  EXPECT_EQ(headers.error().kind(), ErrorKind::kTruncated);
}

TEST(Headers, ExtendedNumberingWithoutSection) {
  ExpectError(With<uint16_t>(56, PN_XNUM), ErrorKind::kMalformed,
              "'f': e_phnum is PN_XNUM but there is no section header");
}

TEST(Headers, ExtendedNumberingSectionBeyondTheFile) {
  ByteBuffer bytes = With<uint16_t>(56, PN_XNUM);
  StoreUnchecked<uint64_t>(bytes.data() + 40, bytes.size() - 1, ByteOrder::kLittle);
  Result<ElfHeaders> headers = Read(bytes);
  ASSERT_FALSE(headers);
  EXPECT_EQ(headers.error().kind(), ErrorKind::kTruncated);
}

TEST(Headers, ExtendedNumberingWithAnAbsurdCount) {
  VmcoreBuilder builder = Sample();
  builder.layout().sections_first = true;
  builder.layout().extended_numbering = true;
  ByteBuffer bytes = builder.Build();
  StoreUnchecked<uint32_t>(bytes.data() + 64 + 44, UINT32_MAX, ByteOrder::kLittle);
  ExpectError(bytes, ErrorKind::kUnsupported, "'f': 4294967295 program headers, more than 1048576");
}

TEST(Headers, ShortFilesAreTruncated) {
  ByteBuffer bytes = Sample().Build();
  for (size_t size = 0; size < Sample().ProgramHeaderOffset(3); ++size) {
    Result<ElfHeaders> headers =
        Read(ByteBuffer(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size)));
    ASSERT_FALSE(headers) << size;
    EXPECT_EQ(headers.error().kind(), ErrorKind::kTruncated) << size;
  }
}

}  // namespace
}  // namespace kdumpkit
