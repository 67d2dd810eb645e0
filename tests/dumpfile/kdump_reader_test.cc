// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/kdump_reader.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/dumpfile/kdump_image.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

constexpr TargetAbi kLp64{ByteOrder::kLittle, 8, 8};
constexpr TargetAbi kLp64Big{ByteOrder::kBig, 8, 8};
constexpr TargetAbi kI386{ByteOrder::kLittle, 4, 4};
constexpr TargetAbi kArm{ByteOrder::kLittle, 4, 8};
constexpr TargetAbi kPpc32{ByteOrder::kBig, 4, 8};

std::unique_ptr<KdumpReader> Open(ByteView bytes) {
  auto dump = KdumpReader::Open(MemoryFile(bytes));
  if (!dump) ADD_FAILURE() << dump.error().message();
  CHECK(dump.has_value());
  return std::move(*dump);
}

std::string OpenError(ByteView bytes) {
  auto dump = KdumpReader::Open(MemoryFile(bytes));
  return dump ? "opened" : dump.error().message();
}

template <typename T>
void Store(ByteBuffer& image, size_t offset, T value) {
  StoreUnchecked(&image.at(offset), value, ByteOrder::kLittle);
}

// "read", "not dumped", "lost" or the error message.
std::string ReadState(const KdumpReader& dump, Pfn pfn) {
  ByteBuffer page(kImageBlock);
  auto state = KdumpPageReader(dump).Read(pfn, page);
  if (!state) return state.error().message();
  if (*state == PageState::kNotDumped) return "not dumped";
  return *state == PageState::kLost ? "lost" : "read";
}

ByteBuffer ReadPage(const KdumpReader& dump, Pfn pfn) {
  ByteBuffer page(kImageBlock);
  auto state = KdumpPageReader(dump).Read(pfn, page);
  EXPECT_TRUE(state && *state == PageState::kRead);
  return page;
}

class EveryAbi : public testing::TestWithParam<TargetAbi> {};

INSTANTIATE_TEST_SUITE_P(Abis, EveryAbi, testing::Values(kLp64, kLp64Big, kI386, kArm, kPpc32),
                         [](const auto& abi) {
                           return fmt::format("{}{}Align{}",
                                              abi.param.order == ByteOrder::kBig ? "Big" : "Little",
                                              8 * abi.param.long_size, abi.param.u64_align);
                         });

TEST_P(EveryAbi, IsRecognizedAndRead) {
  auto dump = Open(MakeKdumpImage({.abi = GetParam()}));
  EXPECT_EQ(dump->info().abi, GetParam());
  EXPECT_EQ(dump->info().max_mapnr, kImageFrames);
  EXPECT_EQ(dump->info().header.tv_sec, 0x65432100u);
  EXPECT_EQ(dump->info().header.utsname[2], "6.1.0");
  EXPECT_EQ(dump->info().header.nr_cpus, 2u);
  EXPECT_EQ(dump->info().sub_header.dump_level, 31u);
  EXPECT_EQ(dump->info().sub_header.phys_base, 0x1000000u);
  EXPECT_EQ(AsText(*dump->Notes()), kImageNotes);
  EXPECT_EQ(AsText(*dump->Vmcoreinfo()), kImageVmcoreinfo);
  for (Pfn pfn : {kCompressedPage, kRawPage, kZeroPage, kOtherZeroPage})
    EXPECT_EQ(ReadPage(*dump, pfn), ImagePage(pfn)) << pfn.value;
}

TEST_P(EveryAbi, IsRecognizedWithoutNotes) {
  auto dump = Open(MakeKdumpImage({.abi = GetParam(), .notes = false}));
  EXPECT_EQ(dump->info().abi, GetParam());
  EXPECT_TRUE(dump->Notes()->empty());
  EXPECT_TRUE(dump->Vmcoreinfo()->empty());
  EXPECT_TRUE(dump->Eraseinfo()->empty());
}

TEST_P(EveryAbi, OlderVersionsLackTheLaterFields) {
  ByteBuffer image = MakeKdumpImage({.abi = GetParam()});
  for (uint32_t version = 1; version <= 5; ++version) {
    StoreUnchecked(&image[8], version, GetParam().order);
    auto dump = Open(image);
    EXPECT_EQ(dump->info().abi.long_size, GetParam().long_size);
    EXPECT_EQ(dump->info().max_mapnr, kImageFrames);
    EXPECT_EQ(dump->Vmcoreinfo()->empty(), version < 3);
    EXPECT_EQ(dump->Notes()->empty(), version < 4);
    EXPECT_EQ(ReadPage(*dump, kRawPage), ImagePage(kRawPage));
  }
}

TEST_P(EveryAbi, EveryPrefixIsAnErrorOrLacksPages) {
  ByteBuffer image = MakeKdumpImage({.abi = GetParam()});
  UniqueFd file = MemoryFile(image);
  for (size_t size = image.size() - 1; size > 0; size -= std::min(size, size_t{7})) {
    ASSERT_EQ(ftruncate(file.get(), static_cast<off_t>(size)), 0);
    auto dump = KdumpReader::Open(UniqueFd(dup(file.get())));
    if (!dump) continue;
    ByteBuffer page(kImageBlock);
    auto state = KdumpPageReader(**dump).Read(kOtherZeroPage, page);
    ASSERT_FALSE(state) << size;
    EXPECT_EQ(state.error().kind(), ErrorKind::kTruncated);
  }
}

class EveryCodecRead : public testing::TestWithParam<Codec> {};

INSTANTIATE_TEST_SUITE_P(Codecs, EveryCodecRead,
                         testing::Values(Codec::kNone, Codec::kZlib, Codec::kLzo, Codec::kSnappy,
                                         Codec::kZstd),
                         [](const auto& codec) { return std::string(CodecName(codec.param)); });

TEST_P(EveryCodecRead, RoundTrips) {
  auto dump = Open(MakeKdumpImage({.codec = GetParam()}));
  EXPECT_EQ(dump->info().header.status, CodecFlag(GetParam()));
  EXPECT_EQ(dump->ReadDescriptor(kCompressedPage)->flags, CodecFlag(GetParam()));
  EXPECT_EQ(ReadPage(*dump, kCompressedPage), ImagePage(kCompressedPage));
}

TEST(KdumpReader, PageThatWasLeftOutIsNotDumped) {
  auto dump = Open(MakeKdumpImage({}));
  EXPECT_TRUE(dump->Exists(Pfn(5)));
  EXPECT_EQ(ReadState(*dump, Pfn(5)), "not dumped");
  EXPECT_FALSE(dump->Exists(Pfn(20)));
  EXPECT_EQ(ReadState(*dump, Pfn(20)), "not dumped");
  EXPECT_EQ(ReadState(*dump, Pfn(~uint64_t{0})), "not dumped");
}

TEST(KdumpReader, HoleOfAnIncompleteDumpIsLost) {
  auto dump = Open(MakeKdumpImage({.lost = true}));
  EXPECT_TRUE(dump->info().incomplete());
  EXPECT_EQ(dump->page_count(), 5u);
  EXPECT_EQ(ReadState(*dump, kLostPage), "lost");
  EXPECT_EQ(ReadState(*dump, kZeroPage), "read");
}

TEST(KdumpReader, HoleOfACompleteDumpIsCorrupt) {
  ByteBuffer image = MakeKdumpImage({.lost = true});
  Store<uint32_t>(image, 424, 1);
  EXPECT_THAT(ReadState(*Open(image), kLostPage),
              HasSubstr("page frame 0x46, descriptor at offset 0x4060"));
}

// One damaged header field of an LP64 file, and what the error must say.
struct Damage {
  const char* name;
  size_t offset;
  int width;
  uint64_t value;
  const char* message;
};

class DamagedField : public testing::TestWithParam<Damage> {};

constexpr size_t kSub = 4096;
constexpr uint64_t kHuge = uint64_t{1} << 63;

INSTANTIATE_TEST_SUITE_P(
    Fields, DamagedField,
    testing::Values(
        Damage{"Signature", 0, 4, 0, "does not begin with the signature"},
        Damage{"Version0", 8, 4, 0, "header_version at offset 0x8"},
        Damage{"Version7", 8, 4, 7, "header_version at offset 0x8"},
        Damage{"VersionNegative", 8, 4, ~0u, "header_version at offset 0x8"},
        Damage{"Block0", 428, 4, 0, "block_size at offset 0x1ac"},
        Damage{"Block1", 428, 4, 1, "block_size at offset 0x1ac"},
        Damage{"BlockOdd", 428, 4, 4097, "block_size at offset 0x1ac"},
        Damage{"BlockNegative", 428, 4, 0x80000000, "block_size at offset 0x1ac"},
        Damage{"BlockLarger", 428, 4, 8192, "is "},
        Damage{"SubHeader0", 432, 4, 0, "sub_hdr_size is 0x0 at offset 0x1b0"},
        Damage{"SubHeaderNegative", 432, 4, ~0u, "sub_hdr_size is 0xffffffff at offset 0x1b0"},
        Damage{"SubHeaderBeyondFile", 432, 4, 6, "sub_hdr_size is 0x6 at offset 0x1b0"},
        Damage{"SubHeaderMovesBitmaps", 432, 4, 5, "bitmap_blocks is 0x2 at offset 0x1b4"},
        Damage{"Bitmap0", 436, 4, 0, "bitmap_blocks is 0x0 at offset 0x1b4"},
        Damage{"BitmapOdd", 436, 4, 3, "bitmap_blocks is 0x3 at offset 0x1b4"},
        Damage{"BitmapBeyondFile", 436, 4, 0xfffffffe, "bitmap_blocks is 0xfffffffe"},
        Damage{"MaxMapnr0", 440, 4, 0, "max_mapnr is 0x0 at offset 0x1b8"},
        Damage{"MaxMapnrTooLarge", 440, 4, 32769, "max_mapnr is 0x8001 at offset 0x1b8"},
        Damage{"MaxMapnrDiffers", 440, 4, 101, "max_mapnr_64 is 0x64 at offset 0x1060"},
        Damage{"MaxMapnr64Is0", kSub + 96, 8, 0, "max_mapnr_64 is 0x0 at offset 0x1060"},
        Damage{"MaxMapnr64Huge", kSub + 96, 8, kHuge, "max_mapnr_64 is 0x8000000000000000"},
        Damage{"MaxMapnr64Differs", kSub + 96, 8, 99, "max_mapnr_64 is 0x63 at offset 0x1060"},
        Damage{"Split", kSub + 12, 4, 2, "split is 0x2 at offset 0x100c"},
        Damage{"VmcoreinfoOffset0", kSub + 32, 8, 0, "offset_vmcoreinfo is 0x0 at offset 0x1020"},
        Damage{"VmcoreinfoOffsetHuge", kSub + 32, 8, kHuge, "offset_vmcoreinfo is 0x8"},
        Damage{"VmcoreinfoOffsetWraps", kSub + 32, 8, ~uint64_t{0}, "offset_vmcoreinfo is 0xf"},
        Damage{"VmcoreinfoSizeHuge", kSub + 40, 8, kHuge, "size_vmcoreinfo is 0x8"},
        Damage{"NoteOffset", kSub + 48, 8, 4095, "offset_note is 0xfff at offset 0x1030"},
        Damage{"NoteOffsetHuge", kSub + 48, 8, kHuge, "offset_note is 0x8"},
        Damage{"NoteSizeHuge", kSub + 56, 8, ~uint64_t{0}, "size_note is 0xf"},
        Damage{"EraseinfoSizeHuge", kSub + 72, 8, kHuge, "size_eraseinfo is 0x8"},
        Damage{"EraseinfoOffset", kSub + 72, 8, 1, "offset_eraseinfo is 0x0 at offset 0x1040"}),
    [](const auto& damage) { return std::string(damage.param.name); });

TEST_P(DamagedField, IsNamedWithValueAndOffset) {
  const Damage& damage = GetParam();
  ByteBuffer image = MakeKdumpImage({});
  if (damage.width == 4)
    Store(image, damage.offset, static_cast<uint32_t>(damage.value));
  else
    Store(image, damage.offset, damage.value);
  EXPECT_THAT(OpenError(image), HasSubstr(damage.message));
}

TEST(KdumpReader, DamageIn32BitFileIsNamedAtItsPlace) {
  ByteBuffer image = MakeKdumpImage({.abi = kI386});
  Store<uint32_t>(image, 424, 3);
  EXPECT_THAT(OpenError(image), HasSubstr("bitmap_blocks is 0x3 at offset 0x1a8"));
}

TEST(KdumpReader, MoreDescriptorsThanTheFileHolds) {
  ByteBuffer image = MakeKdumpImage({});
  image.resize(0x4000 + 4 * 24 - 1);
  EXPECT_THAT(OpenError(image), HasSubstr("within the 4 page descriptors from 0x4000 on"));
}

// Makes the image, whose descriptors begin at 0x4000, the part [first, end) of a split dump, in
// which the first `skip` descriptors are those of earlier parts.
ByteBuffer MakePart(ByteBuffer image, uint64_t first, uint64_t end, size_t skip,
                    const TargetAbi& abi = kLp64) {
  Result<KdumpSubHeader> header = DecodeKdumpSubHeader(ByteView(image).subspan(kSub), abi, 6);
  header->split = 1;
  header->start_pfn = header->start_pfn_64 = first;
  header->end_pfn = header->end_pfn_64 = end;
  std::ranges::copy(EncodeKdumpSubHeader(*header, abi), image.begin() + kSub);
  ByteBuffer kept(image.begin() + 0x4000 + static_cast<std::ptrdiff_t>(skip) * 24,
                  image.begin() + 0x4000 + 4 * 24);
  std::ranges::copy(kept, image.begin() + 0x4000);
  return image;
}

TEST_P(EveryAbi, DescriptorsOfAPartCountFromItsBeginning) {
  auto dump = Open(MakePart(MakeKdumpImage({.abi = GetParam()}), 4, 66, 1, GetParam()));
  EXPECT_EQ(dump->info().abi, GetParam());
  EXPECT_EQ(dump->info().part, (KdumpPart{4, 66}));
  EXPECT_EQ(dump->page_count(), 2u);
  EXPECT_EQ(dump->page_count_in_all(), 4u);
  for (Pfn pfn : {kRawPage, kZeroPage}) EXPECT_EQ(ReadPage(*dump, pfn), ImagePage(pfn));
  for (Pfn pfn : {kCompressedPage, kOtherZeroPage}) {
    EXPECT_FALSE(dump->Dumped(pfn));
    EXPECT_EQ(ReadState(*dump, pfn), "not dumped");
    EXPECT_FALSE(dump->NewReader()->View(PhysAddr(pfn.value * kImageBlock), 1));
  }
  ASSERT_EQ(dump->ranges().size(), 2u);
  EXPECT_EQ(dump->ranges()[0].base, PhysAddr(4 * kImageBlock));
  EXPECT_EQ(dump->ranges()[1].end(), PhysAddr(66 * kImageBlock));
}

TEST(KdumpReader, PartsOfOlderVersionsHaveTheNarrowFields) {
  ByteBuffer image = MakePart(MakeKdumpImage({}), 4, 66, 1);
  Store<uint32_t>(image, 8, 5);
  Store<uint64_t>(image, kSub + 80, kHuge);
  EXPECT_EQ(Open(image)->info().part, (KdumpPart{4, 66}));
}

TEST(KdumpReader, PartsThatCannotBe) {
  ByteBuffer image = MakeKdumpImage({});
  EXPECT_THAT(OpenError(MakePart(image, 5, 4, 0)),
              HasSubstr("start_pfn_64 is 0x5 at offset 0x1050: the part ends at 0x4"));
  EXPECT_THAT(OpenError(MakePart(image, 0, 101, 0)),
              HasSubstr("end_pfn_64 is 0x65 at offset 0x1058: max_mapnr is 0x64"));
  EXPECT_EQ(Open(MakePart(image, 100, 100, 0))->page_count(), 0u);
}

TEST(KdumpReader, OtherFormatsAreNamed) {
  ByteBuffer image(4096);
  std::ranges::copy(AsBytes("DISKDUMP"), image.begin());
  EXPECT_THAT(OpenError(image), HasSubstr("diskdump"));
  std::ranges::copy(AsBytes("makedumpfile"), image.begin());
  EXPECT_THAT(OpenError(image), HasSubstr("flattened"));
}

TEST(KdumpReader, EmptyFileFails) { EXPECT_THAT(OpenError({}), HasSubstr("the file ends")); }

// The descriptor of kCompressedPage is the first, that of kRawPage the second.
class DamagedDescriptor : public testing::Test {
 protected:
  static constexpr size_t kTable = 0x4000;
  ByteBuffer image_ = MakeKdumpImage({});
  std::string Read(Pfn pfn) { return ReadState(*Open(image_), pfn); }
};

TEST_F(DamagedDescriptor, Offset0) {
  Store<uint64_t>(image_, kTable, 0);
  EXPECT_THAT(Read(kCompressedPage), HasSubstr("offset 0x0 is not that of page data"));
}

TEST_F(DamagedDescriptor, OffsetInTheHeaders) {
  Store<uint64_t>(image_, kTable, kTable + 4 * 24 - 1);
  EXPECT_THAT(Read(kCompressedPage), HasSubstr("offset 0x405f is not that of page data"));
}

TEST_F(DamagedDescriptor, OffsetBeyondTheFile) {
  for (uint64_t offset : {uint64_t{image_.size()}, kHuge, ~uint64_t{0}}) {
    Store<uint64_t>(image_, kTable, offset);
    EXPECT_THAT(Read(kCompressedPage), HasSubstr("the file ends at offset")) << offset;
  }
}

TEST_F(DamagedDescriptor, Size0) {
  Store<uint32_t>(image_, kTable + 8, 0);
  EXPECT_THAT(Read(kCompressedPage), HasSubstr("size 0x0 is not that of a page"));
}

TEST_F(DamagedDescriptor, SizeLargerThanAPage) {
  for (uint32_t size : {4097u, 0xffffffffu}) {
    Store<uint32_t>(image_, kTable + 8, size);
    EXPECT_THAT(Read(kCompressedPage), HasSubstr("is not that of a page")) << size;
  }
}

TEST_F(DamagedDescriptor, RawPageThatIsShort) {
  Store<uint32_t>(image_, kTable + 24 + 8, 4095);
  EXPECT_THAT(Read(kRawPage), HasSubstr("raw page has 4095 bytes"));
}

TEST_F(DamagedDescriptor, FlagsOfAnotherCodec) {
  for (uint32_t flags : {0x2u, 0x4u, 0x20u, 0x8u, 0x3u}) {
    Store<uint32_t>(image_, kTable + 12, flags);
    EXPECT_THAT(Read(kCompressedPage), HasSubstr("page frame 0x3")) << flags;
  }
}

TEST_F(DamagedDescriptor, DamagedDataIsCorrupt) {
  image_[kTable + 4 * 24] ^= std::byte{0xff};
  EXPECT_THAT(Read(kCompressedPage), HasSubstr("zlib page does not decompress"));
}

std::string ViewText(MemoryReader& reader, uint64_t address, size_t size) {
  auto view = reader.View(PhysAddr(address), size);
  return view ? std::string(AsText(*view)) : view.error().message();
}

std::string PageText(Pfn pfn) { return std::string(AsText(ImagePage(pfn))); }

TEST(KdumpMemory, RangesAreTheDumpedPages) {
  auto dump = Open(MakeKdumpImage({}));
  std::vector<PhysRange> ranges(dump->ranges().begin(), dump->ranges().end());
  EXPECT_EQ(ranges,
            (std::vector<PhysRange>{{PhysAddr(0x3000), 0x2000}, {PhysAddr(0x41000), 0x2000}}));
}

TEST(KdumpMemory, ViewCrossesPages) {
  auto dump = Open(MakeKdumpImage({}));
  auto reader = dump->NewReader();
  std::string both = PageText(kCompressedPage) + PageText(kRawPage);
  EXPECT_EQ(ViewText(*reader, 0x3000, 0x2000), both);
  EXPECT_EQ(ViewText(*reader, 0x3ffc, 8), both.substr(0xffc, 8));
  EXPECT_EQ(ViewText(*reader, 0x3004, 8), both.substr(4, 8));
  EXPECT_EQ(ViewText(*reader, 0x4004, 8), both.substr(0x1004, 8));
}

TEST(KdumpMemory, PagesNotDumpedReadAsZeroBesideDumpedOnes) {
  auto dump = Open(MakeKdumpImage({}));
  auto reader = dump->NewReader();
  EXPECT_EQ(ViewText(*reader, 0x2ff0, 0x20),
            std::string(16, '\0') + PageText(kCompressedPage).substr(0, 16));
}

TEST(KdumpMemory, ViewOfNothingFails) {
  auto dump = Open(MakeKdumpImage({}));
  auto reader = dump->NewReader();
  EXPECT_EQ(ViewText(*reader, 0x3000, 4), PageText(kCompressedPage).substr(0, 4));
  EXPECT_THAT(ViewText(*reader, 0x2000, 16), HasSubstr("address 0x2000: not in the dump"));
  EXPECT_THAT(ViewText(*reader, ~uint64_t{0}, 16), HasSubstr("not in the dump"));
  EXPECT_EQ(ViewText(*reader, 0x3000, 4), PageText(kCompressedPage).substr(0, 4));
}

TEST(KdumpMemory, LostPageIsTruncated) {
  auto dump = Open(MakeKdumpImage({.lost = true}));
  auto view = dump->NewReader()->View(PhysAddr(kLostPage.value * kImageBlock), 8);
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().kind(), ErrorKind::kTruncated);
  EXPECT_THAT(view.error().message(), HasSubstr("page frame 0x46 was lost"));
}

TEST(KdumpMemory, LargestViewAndOneByteMore) {
  auto dump = Open(MakeKdumpImage({}));
  auto reader = dump->NewReader();
  auto view = reader->View(PhysAddr(0x3fff), MemoryReader::kMaxView);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->size(), MemoryReader::kMaxView);
  EXPECT_FALSE(reader->View(PhysAddr(0x3fff), MemoryReader::kMaxView + 1));
}

}  // namespace
}  // namespace kdumpkit
