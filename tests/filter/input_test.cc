// SPDX-License-Identifier: GPL-2.0-or-later
// Dumps as input: what is read of each version, and what a dump that is filtered again keeps.
#include "filter/input.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "dumpfile/flattened_stream.h"
#include "filter/dump.h"
#include "tests/dumpfile/kdump_image.h"
#include "tests/support/temp_dir.h"
#include "tests/support/vmcore_builder.h"

namespace kdumpkit {
namespace {

constexpr size_t kVersionAt = 8, kStatusAt = 424, kSubHeaderAt = kImageBlock;

void Store32(ByteBuffer& image, size_t offset, uint32_t value) {
  StoreUnchecked(&image.at(offset), value, ByteOrder::kLittle);
}

class InputTest : public testing::Test {
 protected:
  std::string Write(std::string_view name, ByteView bytes) {
    return dir_.Write(std::string(name), AsText(bytes));
  }
  Input Open(ByteView bytes) { return Input::Open(Write("dump", bytes)).value(); }
  std::string ErrorOf(ByteView bytes) {
    auto input = Input::Open(Write("dump", bytes));
    return input ? "opened" : input.error().message();
  }
  DumpReport Refilter(ByteView bytes, int level) {
    FilterOptions options;
    options.vmcore = Write("dump", bytes);
    options.output = dir_.File("again");
    options.force = true;
    options.message_level = 0;
    options.level = *DumpLevel::Make(level);
    return CreateDump(options, stop_).value();
  }
  std::unique_ptr<KdumpReader> Again() {
    return KdumpReader::Open(OpenFile(dir_.File("again"), O_RDONLY).value()).value();
  }
  ByteBuffer Flatten(ByteView image) {
    UniqueFd fd = OpenFile(dir_.File("stream"), O_RDWR | O_CREAT | O_TRUNC, 0600).value();
    FlattenedStream stream(fd.get());
    EXPECT_TRUE(stream.WriteAt(FileOffset(4096), image.subspan(4096)));
    EXPECT_TRUE(stream.WriteAt(FileOffset(0), image.first(4096)));
    EXPECT_TRUE(stream.End());
    lseek(fd.get(), 0, SEEK_SET);
    return ReadToEnd(fd.get(), size_t{1} << 24).value();
  }

  TempDir dir_;
  std::atomic<bool> stop_ = false;
};

TEST_F(InputTest, EveryVersionOfTheFormat) {
  for (uint32_t version = 1; version <= 6; ++version) {
    ByteBuffer image = MakeKdumpImage({});
    Store32(image, kVersionAt, version);
    Input input = Open(image);
    ASSERT_TRUE(input.kdump) << version;
    EXPECT_EQ(input.kdump->page_count(), 4u) << version;
    EXPECT_EQ(input.vmcoreinfo(), version >= 3 ? kImageVmcoreinfo : "") << version;
    if (version >= 4) {
      EXPECT_EQ(AsText(input.raw_notes), kImageNotes);
    }
    // Version 3 has VMCOREINFO and no notes: it becomes one.
    if (version == 3) {
      ASSERT_EQ(input.notes.size(), 1u);
      EXPECT_EQ(input.notes[0].name, "VMCOREINFO");
      EXPECT_EQ(AsText(input.notes[0].desc), kImageVmcoreinfo);
    }
  }
}

TEST_F(InputTest, ThirtyTwoBitAndBigEndianDumpsOpen) {
  for (TargetAbi abi : {TargetAbi{ByteOrder::kBig, 8, 8}, TargetAbi{ByteOrder::kLittle, 4, 4},
                        TargetAbi{ByteOrder::kBig, 4, 8}}) {
    Input input = Open(MakeKdumpImage({.abi = abi}));
    EXPECT_EQ(input.machine.order, abi.order);
    EXPECT_EQ(input.machine.word_size, abi.long_size);
    EXPECT_EQ(input.machine.elf_machine, 0);
    DumpReport report = Refilter(MakeKdumpImage({.abi = abi}), 1);
    EXPECT_EQ(report.completeness, Completeness::kComplete);
    EXPECT_EQ(Again()->info().abi, abi);
  }
}

TEST_F(InputTest, AFlattenedDumpIsReadAsTheDump) {
  ByteBuffer image = MakeKdumpImage({});
  Input input = Open(Flatten(image));
  EXPECT_TRUE(input.flattened);
  EXPECT_EQ(input.vmcoreinfo(), kImageVmcoreinfo);
}

TEST_F(InputTest, AFlattenedCoreIsReadAsTheCore) {
  VmcoreBuilder builder;
  builder.AddVmcoreinfo("OSRELEASE=6.1.0\nPAGESIZE=4096\n");
  builder.AddSegment(PhysAddr(0), PatternBytes(3 * 4096, 1));
  Input input = Open(Flatten(builder.Build()));
  ASSERT_TRUE(input.elf);
  EXPECT_TRUE(input.flattened);
  EXPECT_TRUE(std::ranges::equal(input.memory().NewReader()->View(PhysAddr(0), 3 * 4096).value(),
                                 PatternBytes(3 * 4096, 1)));
}

TEST_F(InputTest, WhatCannotBeReadIsNamed) {
  ByteBuffer stream = Flatten(AsBytes("no dump, and long enough" + std::string(9000, ' ')));
  EXPECT_NE(ErrorOf(stream).find("not an ELF file"), std::string::npos) << ErrorOf(stream);
  EXPECT_NE(ErrorOf(AsBytes("DISKDUMP" + std::string(9000, ' '))).find("diskdump"),
            std::string::npos);
  EXPECT_NE(ErrorOf(AsBytes("text")).find("dump'"), std::string::npos);
  EXPECT_NE(ErrorOf({}).find("dump'"), std::string::npos);
}

TEST_F(InputTest, FilteredAgainNothingChanges) {
  ByteBuffer image = MakeKdumpImage({});
  DumpReport report = Refilter(image, 1);
  EXPECT_EQ(report.completeness, Completeness::kComplete);
  std::unique_ptr<KdumpReader> before = KdumpReader::Open(MemoryFile(image)).value();
  std::unique_ptr<KdumpReader> after = Again();
  EXPECT_EQ(after->info().max_mapnr, before->info().max_mapnr);
  EXPECT_EQ(after->Notes().value(), before->Notes().value());
  EXPECT_EQ(after->Vmcoreinfo().value(), before->Vmcoreinfo().value());
  EXPECT_EQ(after->info().header.tv_sec, before->info().header.tv_sec);
  EXPECT_EQ(after->info().header.utsname, before->info().header.utsname);
  EXPECT_EQ(after->info().sub_header.phys_base, before->info().sub_header.phys_base);
  for (uint64_t pfn = 0; pfn < kImageFrames; ++pfn) {
    EXPECT_EQ(after->Exists(Pfn(pfn)), before->Exists(Pfn(pfn))) << pfn;
    ASSERT_EQ(after->Dumped(Pfn(pfn)), before->Dumped(Pfn(pfn))) << pfn;
    if (!after->Dumped(Pfn(pfn))) continue;
    ByteBuffer page(kImageBlock);
    EXPECT_EQ(KdumpPageReader(*after).Read(Pfn(pfn), page).value(), PageState::kRead);
    EXPECT_EQ(page, ImagePage(Pfn(pfn)));
  }
}

TEST_F(InputTest, LevelsAddUpAndMarksStay) {
  ByteBuffer image = MakeKdumpImage({});
  Store32(image, kSubHeaderAt + 8, 24);
  Store32(image, kStatusAt, 0x1 | kKdumpVmemmapExcluded);
  Refilter(image, 1);
  EXPECT_EQ(Again()->info().sub_header.dump_level, 25u);
  EXPECT_EQ(Again()->info().header.status, uint64_t{kKdumpVmemmapExcluded});
}

TEST_F(InputTest, TheRecordOfErasedDataStays) {
  ByteBuffer image = MakeKdumpImage({});
  // Any part of the file will do.
  StoreUnchecked(&image.at(kSubHeaderAt + 64), uint64_t{kSubHeaderAt + 104}, ByteOrder::kLittle);
  StoreUnchecked(&image.at(kSubHeaderAt + 72), uint64_t{11}, ByteOrder::kLittle);
  Refilter(image, 1);
  EXPECT_EQ(AsText(Again()->Eraseinfo().value()), kImageNotes.substr(0, 11));
  EXPECT_EQ(AsText(Again()->Notes().value()), kImageNotes);
}

TEST_F(InputTest, LostPagesStayLost) {
  DumpReport report = Refilter(MakeKdumpImage({.lost = true}), 1);
  EXPECT_EQ(report.completeness, Completeness::kPartial);
  EXPECT_EQ(report.stream.unreadable_pages, 1u);
  std::unique_ptr<KdumpReader> again = Again();
  EXPECT_TRUE(again->info().incomplete());
  ByteBuffer page(kImageBlock);
  EXPECT_EQ(KdumpPageReader(*again).Read(kLostPage, page).value(), PageState::kLost);
  EXPECT_EQ(KdumpPageReader(*again).Read(kRawPage, page).value(), PageState::kRead);
}

// Even when nothing that is kept was lost: what was left out may have been.
TEST_F(InputTest, AnIncompleteDumpStaysOne) {
  ByteBuffer image = MakeKdumpImage({});
  Store32(image, kStatusAt, 0x1 | kKdumpIncomplete);
  DumpReport report = Refilter(image, 1);
  EXPECT_EQ(report.completeness, Completeness::kPartial);
  EXPECT_NE(ReportText(report).find("partial"), std::string::npos);
  EXPECT_TRUE(std::any_of(report.warnings.begin(), report.warnings.end(), [](const auto& warning) {
    return warning.find("marked incomplete") != std::string::npos;
  }));
  EXPECT_TRUE(Again()->info().incomplete());
}

TEST_F(InputTest, AnElfCoreThatIsMarkedIncompleteMakesAnIncompleteDump) {
  ByteBuffer core = VmcoreBuilder().AddCpu().AddSegment(PhysAddr(0), PatternBytes(8192, 1)).Build();
  EXPECT_EQ(Refilter(core, 1).completeness, Completeness::kComplete);
  Store32(core, 48, 1);  // e_flags
  EXPECT_EQ(Refilter(core, 1).completeness, Completeness::kPartial);
  EXPECT_TRUE(Again()->info().incomplete());
}

// Pages that an ELF core leaves out are memory all the same.
TEST_F(InputTest, WhatAnElfCoreLeavesOutIsMemory) {
  VmcoreBuilder builder;
  builder.AddSegment(PhysAddr(0), VirtAddr(0), PatternBytes(8192, 1), 5 * 4096);
  ByteBuffer core = builder.Build();
  Input input = Open(core);
  EXPECT_EQ(input.possible_level(), kMaxDumpLevel);
  EXPECT_EQ(input.existing(), (std::vector<PhysRange>{{PhysAddr(0), 5 * 4096}}));
  EXPECT_EQ(Refilter(core, 1).completeness, Completeness::kComplete);
  EXPECT_EQ(Again()->info().max_mapnr, 5u);
  EXPECT_TRUE(Again()->Exists(Pfn(4)));
  EXPECT_FALSE(Again()->Dumped(Pfn(4)));
}

TEST_F(InputTest, AnEraseRecordOfAnElfCoreStandsInTheDump) {
  VmcoreBuilder builder;
  builder.AddCpu().AddNote("ERASEINFO", 0, AsBytes("erase x size 4\n"));
  builder.AddSegment(PhysAddr(0), PatternBytes(8192, 1));
  Refilter(builder.Build(), 1);
  EXPECT_EQ(AsText(Again()->Eraseinfo().value()), "erase x size 4\n");
}

}  // namespace
}  // namespace kdumpkit
