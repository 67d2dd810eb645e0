// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/elfcorehdr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kexec/segment_machine.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

constexpr uint64_t kText = 0xffffffff81000000;
constexpr uint64_t kDirectMap = 0xffff888000000000;

DumpContents SmallContents() {
  DumpContents contents;
  contents.notes = {{PhysAddr(0x7f81d200), 368}, {PhysAddr(0x4200000), 4132}};
  contents.kernel = {VirtAddr(kText), {PhysAddr(0x1000000), 0x3430000}, VirtAddr(kDirectMap)};
  contents.ranges = {Inclusive(0x1000, 0x9fbff), Inclusive(0x100000, 0x7fffffff)};
  return contents;
}

TEST(Elfcorehdr, NotesKernelAndRam) {
  EXPECT_EQ(ReadElfcorehdr(MakeElfcorehdr(SmallContents())),
            (std::vector<CoreHeader>{
                NoteHeader(0x7f81d200, 368),
                NoteHeader(0x4200000, 4132),
                LoadHeader(0x1000000, kText, 0x1000000, 0x3430000),
                LoadHeader(0x1000, kDirectMap + 0x1000, 0x1000, 0x9ec00),
                LoadHeader(0x100000, kDirectMap + 0x100000, 0x100000, 0x7ff00000),
            }));
}

TEST(Elfcorehdr, GoldenBytesOfTheHeader) {
  ByteBuffer bytes = MakeElfcorehdr(SmallContents());
  const unsigned char golden[64] = {0x7f, 'E', 'L', 'F', 2,  1, 1,  0, 0, 0, 0, 0, 0, 0, 0, 0,  //
                                    4,    0,   62,  0,   1,  0, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0,  //
                                    64,   0,   0,   0,   0,  0, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0,  //
                                    0,    0,   0,   0,   64, 0, 56, 0, 5, 0, 0, 0, 0, 0, 0, 0};
  for (size_t i = 0; i < sizeof(golden); ++i)
    EXPECT_EQ(static_cast<unsigned char>(bytes[i]), golden[i]) << i;
}

// Only where the bytes are changes for memory that is copied away.
TEST(Elfcorehdr, BackedUpMemoryIsReadFromItsCopy) {
  DumpContents contents = SmallContents();
  contents.ranges = {Inclusive(0x1000, 0x57fff), Inclusive(0x59000, 0x9ffff),
                     Inclusive(0x100000, 0x7fffffff)};
  contents.backup = Backup{Inclusive(0x1000, 0x9ffff), PhysAddr(0x6e000000)};
  std::vector<CoreHeader> headers = ReadElfcorehdr(MakeElfcorehdr(contents));
  ASSERT_EQ(headers.size(), 6u);
  EXPECT_EQ(headers[3], LoadHeader(0x6e000000, kDirectMap + 0x1000, 0x1000, 0x57000));
  EXPECT_EQ(headers[4], LoadHeader(0x6e058000, kDirectMap + 0x59000, 0x59000, 0x47000));
  EXPECT_EQ(headers[5].offset, 0x100000u);
}

TEST(Elfcorehdr, RangeOverTheEdgesOfABackupIsCut) {
  DumpContents contents = SmallContents();
  contents.ranges = {Inclusive(0, 0xfffff)};
  contents.backup = Backup{Inclusive(0x1000, 0x9ffff), PhysAddr(0x6e000000)};
  std::vector<CoreHeader> headers = ReadElfcorehdr(MakeElfcorehdr(contents));
  ASSERT_EQ(headers.size(), 6u);
  EXPECT_EQ(headers[3], LoadHeader(0, kDirectMap, 0, 0x1000));
  EXPECT_EQ(headers[4], LoadHeader(0x6e000000, kDirectMap + 0x1000, 0x1000, 0x9f000));
  EXPECT_EQ(headers[5], LoadHeader(0xa0000, kDirectMap + 0xa0000, 0xa0000, 0x60000));
}

DumpContents ManyRanges(size_t count) {
  DumpContents contents = SmallContents();
  contents.ranges.clear();
  for (uint64_t i = 0; i < count; ++i)
    contents.ranges.push_back({PhysAddr(i << 21), i % 10 == 3 ? 0x1000u : 0x100000u});
  return contents;
}

TEST(Elfcorehdr, AsManyHeadersAsTheCrashKernelReads) {
  DumpContents contents = ManyRanges(65529);
  EXPECT_EQ(LimitHeaders(contents), 0u);
  EXPECT_EQ(contents.ranges.size(), 65529u);
  EXPECT_EQ(ReadElfcorehdr(MakeElfcorehdr(contents)).size(), 65532u);
}

// More do not fit: the largest are kept, in order, and it is said what is lost.
TEST(Elfcorehdr, BeyondThatTheSmallestAreLeftOut) {
  DumpContents contents = ManyRanges(70000);
  EXPECT_EQ(LimitHeaders(contents), 4471u * 0x1000);
  EXPECT_EQ(contents.ranges.size(), 65529u);
  EXPECT_TRUE(std::is_sorted(contents.ranges.begin(), contents.ranges.end(),
                             [](auto& a, auto& b) { return a.base < b.base; }));
  EXPECT_EQ(TotalSize(contents.ranges), 63000u * 0x100000ull + 2529u * 0x1000);
  EXPECT_EQ(ReadElfcorehdr(MakeElfcorehdr(contents)).size(), 65532u);
}

TEST(CrashNotes, NumbersOfProcessorsMayHaveHoles) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  AddCpu(machine, 10, 0x7f8dd200);
  AddCpu(machine, 6, 0x7f89d200);
  machine.Set("sys/devices/system/cpu/cpuidle/crash_notes", "1000\n");
  machine.Set("sys/devices/system/cpu/cpu7/online", "0\n");
  std::vector<std::string> notes;
  EXPECT_EQ(ReadCrashNotes(machine.Root(), notes).value(),
            (std::vector<PhysRange>{{PhysAddr(0x7f81d200), 368},
                                    {PhysAddr(0x7f85d200), 368},
                                    {PhysAddr(0x7f89d200), 368},
                                    {PhysAddr(0x7f8dd200), 368},
                                    {PhysAddr(0x4200000), 4132}}));
  EXPECT_TRUE(notes.empty());
}

TEST(CrashNotes, SizeHasADefault) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  machine.Remove("sys/devices/system/cpu/cpu0/crash_notes_size");
  std::vector<std::string> notes;
  EXPECT_EQ(ReadCrashNotes(machine.Root(), notes)->front().size, 1024u);
}

TEST(CrashNotes, NoneIsAnError) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  std::vector<std::string> notes;
  for (const char* text : {"0\n", "", "zz\n", "ffffffffffffffff\n"}) {
    machine.Set("sys/devices/system/cpu/cpu0/crash_notes", text);
    machine.Set("sys/devices/system/cpu/cpu1/crash_notes", text);
    EXPECT_THAT(ReadCrashNotes(machine.Root(), notes).error().message(),
                HasSubstr("/sys/devices/system/cpu"))
        << text;
  }
}

TEST(CrashNotes, MissingVmcoreinfoIsANote) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  for (const char* text : {"", "0x4200000\n", "4200000 1024\n", "0x0 1024\n", "0x4200000 x\n"}) {
    machine.Set("sys/kernel/vmcoreinfo", text);
    std::vector<std::string> notes;
    EXPECT_EQ(ReadCrashNotes(machine.Root(), notes)->size(), 2u) << text;
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_THAT(notes[0], HasSubstr("/sys/kernel/vmcoreinfo"));
  }
}

}  // namespace
}  // namespace kdumpkit
