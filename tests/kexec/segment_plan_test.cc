// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/segment_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kexec/image_builder.h"
#include "tests/kexec/segment_machine.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uint64_t kMiB = 1u << 20;

// A load that a test changes before it is planned.
class SegmentPlanTest : public testing::Test {
 protected:
  SegmentPlanTest() { AddSegmentFiles(machine_); }

  Result<SegmentPlan> Try(Slot slot) {
    SegmentRequest request{.slot = slot, .kernel = kernel_};
    request.initrd = AsBytes(initrd_);
    request.command_line = command_line_;
    request.check = check_;
    request.hotplug = hotplug_;
    request.efi = efi_;
    request.mem_min = mem_min_;
    request.mem_max = mem_max_;
    Result<SegmentPlan> plan = BuildSegments(request, machine_.Root());
    if (plan) ExpectLegal(*plan);
    return plan;
  }
  SegmentPlan Crash() { return Try(Slot::kCrash).value(); }
  SegmentPlan Normal() { return Try(Slot::kReboot).value(); }
  std::string WhyNot(Slot slot) {
    Result<SegmentPlan> plan = Try(slot);
    return plan ? "planned" : plan.error().message();
  }

  // The rules of sanity_check_segment_list() in kernel/kexec_core.c.
  static void ExpectLegal(const SegmentPlan& plan) {
    EXPECT_LE(plan.segments.size(), 16u);
    PhysAddr end{0};
    bool entered = false;
    for (const PlannedSegment& segment : plan.segments) {
      EXPECT_EQ(segment.memory.base.value % 4096, 0u) << segment.name;
      EXPECT_EQ(segment.memory.size % 4096, 0u) << segment.name;
      EXPECT_GT(segment.memory.size, 0u) << segment.name;
      EXPECT_GE(segment.memory.base, end) << segment.name;
      EXPECT_LE(segment.bytes.size(), segment.memory.size) << segment.name;
      end = segment.memory.end();
      entered |= segment.name == "purgatory" && segment.memory.Contains(PhysAddr(plan.entry));
    }
    EXPECT_TRUE(entered);
  }
  static std::vector<std::string> Names(const SegmentPlan& plan) {
    std::vector<std::string> names;
    for (const PlannedSegment& segment : plan.segments) names.push_back(segment.name);
    return names;
  }

  FakeMachine machine_;
  KernelFile kernel_ = KernelFromBytes("/boot/vmlinuz", MakeBzImage());
  std::string initrd_ = std::string(100000, 'i');
  std::string command_line_ = "console=ttyS0 nr_cpus=1";
  bool check_ = true;
  bool hotplug_ = false;
  bool efi_ = true;
  uint64_t mem_min_ = 0;
  uint64_t mem_max_ = UINT64_MAX;
};

TEST_F(SegmentPlanTest, CrashKernelInItsReservation) {
  SegmentPlan plan = Crash();
  EXPECT_THAT(Names(plan), ElementsAre("backup", "elfcorehdr", "purgatory", "boot parameters",
                                       "initrd", "kernel"));
  for (const PlannedSegment& segment : plan.segments) {
    EXPECT_GE(segment.memory.base, PhysAddr(0x6e000000)) << segment.name;
    EXPECT_LE(segment.memory.end(), PhysAddr(0x7e000000)) << segment.name;
  }
  EXPECT_THAT(plan.notes, IsEmpty());
  const PlannedSegment& kernel = SegmentNamed(plan, "kernel");
  EXPECT_EQ(kernel.memory.base.value % (2 * kMiB), 0u);
  EXPECT_EQ(kernel.memory.size, 48 * kMiB);
  EXPECT_EQ(AsText(SegmentNamed(plan, "initrd").bytes), initrd_);
}

TEST_F(SegmentPlanTest, ElfcorehdrOfACrashKernel) {
  SegmentPlan plan = Crash();
  uint64_t backup = SegmentNamed(plan, "backup").memory.base.value;
  constexpr uint64_t kDirectMap = 0xffff8ac000000000;
  EXPECT_EQ(ReadElfcorehdr(SegmentNamed(plan, "elfcorehdr").bytes),
            (std::vector<CoreHeader>{
                NoteHeader(0x7f81d200, 368),
                NoteHeader(0x7f85d200, 368),
                NoteHeader(0x4200000, 0x1024),
                LoadHeader(0x69c00000, 0xffffffffb8200000, 0x69c00000, 0x3430000),
                LoadHeader(backup, kDirectMap + 0x1000, 0x1000, 0x9ec00),
                LoadHeader(0x100000, kDirectMap + 0x100000, 0x100000, 0x6df00000),
                LoadHeader(0x7e000000, kDirectMap + 0x7e000000, 0x7e000000, 0x1fe0000),
            }));
  EXPECT_EQ(plan.dump_ranges,
            (std::vector{Inclusive(0x1000, 0x9fbff), Inclusive(0x100000, 0x6dffffff),
                         Inclusive(0x7e000000, 0x7ffdffff)}));
}

TEST_F(SegmentPlanTest, BackupTakesAllLowMemory) {
  machine_.Set("proc/iomem", kIomemEfi);
  SegmentPlan plan = Crash();
  const PlannedSegment& backup = SegmentNamed(plan, "backup");
  EXPECT_THAT(backup.bytes, IsEmpty());
  EXPECT_EQ(backup.memory.size, 0x9f000u);
  std::vector<CoreHeader> headers = ReadElfcorehdr(SegmentNamed(plan, "elfcorehdr").bytes);
  EXPECT_EQ(headers[4].paddr, 0x1000u);
  EXPECT_EQ(headers[4].offset, backup.memory.base.value);
  EXPECT_EQ(headers[5].paddr, 0x59000u);
  EXPECT_EQ(headers[5].offset, backup.memory.base.value + 0x58000);
}

// The crash kernel reads whole pages, so that the copy begins as far inside a page.
TEST_F(SegmentPlanTest, BackupKeepsThePlaceInsideAPage) {
  std::string iomem(kIomem2GiB);
  iomem.replace(iomem.find("00001000-0009fbff"), 17, "00000400-0009fbff");
  machine_.Set("proc/iomem", iomem);
  SegmentPlan plan = Crash();
  const PlannedSegment& backup = SegmentNamed(plan, "backup");
  CoreHeader low = ReadElfcorehdr(SegmentNamed(plan, "elfcorehdr").bytes)[4];
  EXPECT_EQ(low.offset, backup.memory.base.value + 0x400);
  EXPECT_LE(low.offset + low.memory_size, backup.memory.end().value);
}

TEST_F(SegmentPlanTest, NoLowMemoryNoBackup) {
  machine_.Set("proc/iomem",
               "00100000-7ffdffff : System RAM\n"
               "  69c00000-6aa01d31 : Kernel code\n"
               "  6e000000-7dffffff : Crash kernel\n");
  EXPECT_THAT(Names(Crash()),
              ElementsAre("elfcorehdr", "purgatory", "boot parameters", "initrd", "kernel"));
}

// Its RAM has neither the list of memory nor the backup, and all else that is loaded.
TEST_F(SegmentPlanTest, MemoryMapOfACrashKernel) {
  SegmentPlan plan = Crash();
  const PlannedSegment& params = SegmentNamed(plan, "boot parameters");
  EXPECT_EQ(ReadE820(params.bytes, params.memory.base), plan.memory_map);
  std::vector<PhysRange> ram = RangesOfType(plan.memory_map, E820Type::kRam);
  PhysAddr rest = SegmentNamed(plan, "elfcorehdr").memory.end();
  EXPECT_EQ(ram, (std::vector{Inclusive(0x1000, 0x9fbff), Inclusive(rest.value, 0x7dffffff)}));
  for (const char* name : {"initrd", "kernel", "purgatory", "boot parameters"})
    EXPECT_TRUE(ram[1].Contains(SegmentNamed(plan, name).memory.base)) << name;
}

TEST_F(SegmentPlanTest, BootParametersPointToEverything) {
  SegmentPlan plan = Crash();
  const PlannedSegment& params = SegmentNamed(plan, "boot parameters");
  const PlannedSegment& initrd = SegmentNamed(plan, "initrd");
  EXPECT_EQ(Halves(params.bytes, 0x218, 0xc0), initrd.memory.base.value);
  EXPECT_EQ(Halves(params.bytes, 0x21c, 0xc4), initrd_.size());
  EXPECT_EQ(Field<uint64_t>(params.bytes, 0x70), 0xf59e0u);
  EXPECT_EQ(Field<uint16_t>(params.bytes, 0), 0xa1a0u);
  EXPECT_EQ(ReadCommandLine(params.bytes, params.memory.base), plan.command_line);
  EXPECT_EQ(plan.command_line, fmt::format("elfcorehdr={:#x} console=ttyS0 nr_cpus=1",
                                           SegmentNamed(plan, "elfcorehdr").memory.base.value));
  std::vector<SetupRecord> records = ReadSetupData(params.bytes, params.memory.base);
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].type, 9u);
  EXPECT_EQ(records[0].data.size(), 32u);
}

TEST_F(SegmentPlanTest, HighReservationIsLoadedTheLowOneIsOnlyMemory) {
  machine_.Set("proc/iomem", kIomem6GiB);
  SegmentPlan plan = Crash();
  for (const PlannedSegment& segment : plan.segments) {
    EXPECT_GE(segment.memory.base, PhysAddr(0x1ef000000)) << segment.name;
    EXPECT_LE(segment.memory.end(), PhysAddr(0x1ff000000)) << segment.name;
  }
  std::vector<PhysRange> ram = RangesOfType(plan.memory_map, E820Type::kRam);
  ASSERT_THAT(ram, SizeIs(3));
  EXPECT_EQ(ram[1], Inclusive(0x6e000000, 0x7dffffff));
}

TEST_F(SegmentPlanTest, WhatCmaLendsIsNotDumpedAndNotLoadedTo) {
  machine_.Set("sys/kernel/kexec/crash_cma_ranges", "10000000-1fffffff\n");
  SegmentPlan plan = Crash();
  EXPECT_EQ(plan.dump_ranges.at(1), Inclusive(0x100000, 0xfffffff));
  EXPECT_EQ(plan.dump_ranges.at(2), Inclusive(0x20000000, 0x6dffffff));
  EXPECT_EQ(RangesOfType(plan.memory_map, E820Type::kRam).at(1), Inclusive(0x10000000, 0x1fffffff));
  EXPECT_GE(plan.segments.front().memory.base, PhysAddr(0x6e000000));
}

TEST_F(SegmentPlanTest, HotplugMakesTheElfcorehdrLarge) {
  machine_.Set("sys/kernel/kexec/crash_elfcorehdr_size", "917616\n");
  hotplug_ = true;
  SegmentPlan plan = Crash();
  const PlannedSegment& large = SegmentNamed(plan, "elfcorehdr");
  EXPECT_EQ(large.memory.size, 0xe1000u);  // with the ELF header, in pages
  EXPECT_FALSE(
      RangesOfType(plan.memory_map, E820Type::kRam).at(1).Contains(large.memory.end() - 1));
  machine_.Remove("sys/kernel/kexec/crash_elfcorehdr_size");
  EXPECT_THAT(Crash().notes, ElementsAre(HasSubstr("elfcorehdr")));
  hotplug_ = false;
  EXPECT_EQ(SegmentNamed(Crash(), "elfcorehdr").memory.size, 4096u);
}

// The kernel finds the elfcorehdr that it rewrites by its first bytes.
TEST_F(SegmentPlanTest, HotplugWantsNoOtherElfFile) {
  initrd_ =
      "\x7f"
      "ELF" +
      initrd_;
  EXPECT_TRUE(Try(Slot::kCrash));
  hotplug_ = true;
  EXPECT_THAT(WhyNot(Slot::kCrash), HasSubstr("the initrd begins like an ELF file"));
}

TEST_F(SegmentPlanTest, ProcessorsWithHolesInTheirNumbers) {
  for (int i = 2; i < 40; ++i)
    AddCpu(machine_, i * 7, 0x10000000u + static_cast<unsigned>(i) * 4096);
  SegmentPlan plan = Crash();
  std::vector<CoreHeader> headers = ReadElfcorehdr(SegmentNamed(plan, "elfcorehdr").bytes);
  EXPECT_EQ(std::count_if(headers.begin(), headers.end(),
                          [](const CoreHeader& header) { return header.type == 4; }),
            41);
}

TEST_F(SegmentPlanTest, MissingKcoreIsNoFailure) {
  machine_.Remove("proc/kcore");
  machine_.Set("proc/kallsyms", "ffffffffb8200000 T _text\nffffffffbb630000 B _end\n");
  SegmentPlan plan = Crash();
  EXPECT_THAT(plan.notes, ElementsAre(HasSubstr("CONFIG_PROC_KCORE")));
  EXPECT_EQ(ReadElfcorehdr(SegmentNamed(plan, "elfcorehdr").bytes).at(3).vaddr,
            0xffffffffb8200000u);
  machine_.Remove("proc/kallsyms");
  EXPECT_THAT(WhyNot(Slot::kCrash), HasSubstr("CONFIG_PROC_KCORE"));
  EXPECT_TRUE(Try(Slot::kReboot));
}

TEST_F(SegmentPlanTest, NormalLoadGoesHighAndKeepsClearOfReservations) {
  SegmentPlan plan = Normal();
  EXPECT_THAT(Names(plan), ElementsAre("kernel", "purgatory", "boot parameters", "initrd"));
  // Above the crash kernel's reservation there is no room for the kernel.
  EXPECT_LT(SegmentNamed(plan, "kernel").memory.end(), PhysAddr(0x6e000001));
  EXPECT_EQ(plan.segments.back().memory.end(), PhysAddr(0x7ffe0000));
  EXPECT_EQ(plan.command_line, "console=ttyS0 nr_cpus=1");
  EXPECT_THAT(plan.dump_ranges, IsEmpty());
  EXPECT_EQ(RangesOfType(plan.memory_map, E820Type::kRam),
            (std::vector{Inclusive(0, 0x9fbff), Inclusive(0x100000, 0x7ffdffff)}));
}

TEST_F(SegmentPlanTest, NormalLoadNeverTouchesTheFirstMegabyteNorWhatFirmwareDoesNotKnow) {
  machine_.Set("proc/iomem", kIomem6GiB);  // more than its firmware's map has
  mem_max_ = 0x1fffff;
  kernel_ = KernelFromBytes(
      "/boot/vmlinuz",
      MakeBzImage({.kernel_alignment = 4096, .init_size = 4096, .preferred_address = 0}));
  machine_.Set("proc/meminfo", "MemTotal: 2000000 kB\n");
  SegmentPlan plan = Normal();
  EXPECT_GE(plan.segments.front().memory.base, PhysAddr(0x100000));
  EXPECT_LE(plan.segments.back().memory.end(), PhysAddr(0x200000));
  mem_max_ = 0xfffff;
  EXPECT_THAT(WhyNot(Slot::kReboot), HasSubstr("no room for the kernel in free memory"));
  mem_max_ = UINT64_MAX;
  mem_min_ = 0x80000000;
  EXPECT_THAT(WhyNot(Slot::kReboot), HasSubstr("0 bytes are left"));
}

TEST_F(SegmentPlanTest, BoundsHoldForACrashKernelToo) {
  mem_min_ = 0x70000000;
  mem_max_ = 0x77ffffff;
  SegmentPlan plan = Crash();
  EXPECT_EQ(plan.segments.front().memory.base, PhysAddr(0x70000000));
  EXPECT_EQ(plan.segments.back().memory.end(), PhysAddr(0x78000000));
  mem_max_ = 0x6fffffff;
  EXPECT_THAT(WhyNot(Slot::kCrash), HasSubstr("no room for the backup"));
}

TEST_F(SegmentPlanTest, AnElfFileIsLoadedPieceByPiece) {
  kernel_ = KernelFromBytes("/boot/vmlinux", MakeElfKernel(VmlinuxFields()));
  SegmentPlan plan = Crash();
  std::vector<PlannedSegment> pieces;
  for (const PlannedSegment& segment : plan.segments)
    if (segment.name == "kernel") pieces.push_back(segment);
  ASSERT_THAT(pieces, SizeIs(4));
  PhysAddr base = pieces[0].memory.base;
  EXPECT_EQ(base.value % (2 * kMiB), 0u);
  EXPECT_EQ(pieces[1].memory.base, base + 0x1000000);
  EXPECT_EQ(pieces[3].memory, (PhysRange{base + 0x1200000, 0x5000}));
  EXPECT_EQ(AsText(pieces[2].bytes), std::string(0x20, 'p'));
  const PlannedSegment& params = SegmentNamed(plan, "boot parameters");
  EXPECT_EQ(Field<uint32_t>(params.bytes, 0x202), 0x53726448u);
}

TEST_F(SegmentPlanTest, EfiIsHandedOn) {
  AddEfi(machine_);
  SegmentPlan plan = Crash();
  const PlannedSegment& params = SegmentNamed(plan, "boot parameters");
  EXPECT_EQ(Field<uint32_t>(params.bytes, 0x1c0), 0x34364c45u);
  EXPECT_THAT(ReadSetupData(params.bytes, params.memory.base), SizeIs(2));
  EXPECT_THAT(plan.command_line, testing::Not(HasSubstr("acpi_rsdp")));
  EXPECT_THAT(plan.notes, IsEmpty());
}

TEST_F(SegmentPlanTest, EfiIsLeftOutWholeAndItIsSaid) {
  AddEfi(machine_);
  machine_.Remove("sys/firmware/efi/fw_vendor");
  SegmentPlan plan = Crash();
  const PlannedSegment& params = SegmentNamed(plan, "boot parameters");
  EXPECT_EQ(Field<uint32_t>(params.bytes, 0x1c0), 0u);
  EXPECT_THAT(ReadSetupData(params.bytes, params.memory.base), SizeIs(1));
  EXPECT_THAT(plan.notes, ElementsAre(HasSubstr("without EFI")));
  efi_ = false;
  EXPECT_THAT(Crash().notes, IsEmpty());
}

TEST_F(SegmentPlanTest, AKernelThatDoesNotTakeEfiIsToldOfAcpi) {
  AddEfi(machine_);
  std::string data = machine_.Get("sys/kernel/boot_params/data");
  machine_.Set("sys/kernel/boot_params/data", data.replace(0x70, 4, std::string(4, '\0')));
  kernel_ = KernelFromBytes("/boot/vmlinux", MakeElfKernel(VmlinuxFields()));
  SegmentPlan plan = Crash();
  EXPECT_THAT(plan.command_line, HasSubstr(" acpi_rsdp=0x7fb7e014 console="));
  EXPECT_EQ(Field<uint64_t>(SegmentNamed(plan, "boot parameters").bytes, 0x70), 0x7fb7e014u);
  EXPECT_THAT(plan.notes, ElementsAre(HasSubstr("without EFI")));
  // Newer kernels find it by their boot parameters.
  kernel_ = KernelFromBytes("/boot/vmlinuz", MakeBzImage({.xloadflags = 0x002f}));
  EXPECT_THAT(Crash().command_line, testing::Not(HasSubstr("acpi_rsdp")));
}

TEST_F(SegmentPlanTest, CommandLineTooLong) {
  std::string prefix = fmt::format("elfcorehdr={:#x} ", 0x6e09f000);
  command_line_ = std::string(2047 - prefix.size(), 'x');
  EXPECT_EQ(Crash().command_line, prefix + command_line_);
  command_line_ += "xy";
  EXPECT_EQ(WhyNot(Slot::kCrash),
            "the command line has 2049 characters with 'elfcorehdr=0x6e09f000', which is added, "
            "'/boot/vmlinuz' takes 2047: shorten it by 2");
  command_line_ = std::string(2048, 'x');
  EXPECT_EQ(WhyNot(Slot::kReboot),
            "the command line has 2048 characters, '/boot/vmlinuz' takes 2047: shorten it by 1");
}

TEST_F(SegmentPlanTest, EmptyCommandLineAndNoInitrd) {
  command_line_.clear();
  initrd_.clear();
  SegmentPlan plan = Crash();
  EXPECT_EQ(plan.command_line, "elfcorehdr=0x6e09f000");
  EXPECT_EQ(Halves(SegmentNamed(plan, "boot parameters").bytes, 0x21c, 0xc4), 0u);
  EXPECT_EQ(Normal().command_line, "");
}

TEST_F(SegmentPlanTest, ReservationTooSmall) {
  std::string iomem(kIomem2GiB);
  iomem.replace(iomem.find("6e000000-7dffffff"), 17, "7a000000-7dffffff");
  machine_.Set("proc/iomem", iomem);
  EXPECT_TRUE(Try(Slot::kCrash));
  initrd_.resize(16 * kMiB);
  std::string message = WhyNot(Slot::kCrash);
  EXPECT_THAT(message, HasSubstr("no room for the initrd in the crash reservation at "
                                 "0x7a000000-0x7dffffff: 16 MiB are needed"));
  EXPECT_THAT(message, HasSubstr("larger crashkernel="));
}

TEST_F(SegmentPlanTest, RoomForThePageTablesOfTheJump) {
  std::string iomem(kIomem2GiB);
  iomem.replace(iomem.find("6e000000-7dffffff"), 17, "7ac00000-7dffffff");
  machine_.Set("proc/iomem", iomem);
  // All that is free, except for less than those take.
  initrd_.resize(4 * kMiB - 0xa0000 - 16 * 4096);
  EXPECT_THAT(WhyNot(Slot::kCrash), HasSubstr("page tables of the running kernel"));
  initrd_.resize(4 * kMiB - 0xa0000 - 40 * 4096);
  EXPECT_EQ(WhyNot(Slot::kCrash), "planned");
}

TEST_F(SegmentPlanTest, NothingReserved) {
  machine_.Set("proc/iomem", "00100000-7ffdffff : System RAM\n  1000000-1ffffff : Kernel code\n");
  EXPECT_THAT(WhyNot(Slot::kCrash), HasSubstr("no memory is reserved"));
  machine_.Set("proc/iomem", "00000000-00000000 : System RAM\n");
  EXPECT_THAT(WhyNot(Slot::kCrash), HasSubstr("CAP_SYS_ADMIN"));
  EXPECT_THAT(WhyNot(Slot::kReboot), HasSubstr("CAP_SYS_ADMIN"));
}

TEST_F(SegmentPlanTest, MoreThanHalfOfMemory) {
  machine_.Set("proc/meminfo", "MemTotal: 98304 kB\n");
  EXPECT_THAT(WhyNot(Slot::kReboot), HasSubstr("no more than half of its 96 MiB"));
}

TEST_F(SegmentPlanTest, FiveLevelsOfPageTables) {
  machine_.Set("proc/kcore",
               MakeKcore(0xffffffff81000000, 0x69c00000, 0x3430000, 0xff24e05540000000));
  EXPECT_TRUE(Try(Slot::kCrash));
  kernel_ = KernelFromBytes("/boot/vmlinuz", MakeBzImage({.xloadflags = 0x001f}));
  EXPECT_THAT(WhyNot(Slot::kCrash), HasSubstr("CONFIG_X86_5LEVEL"));
  EXPECT_THAT(WhyNot(Slot::kReboot), HasSubstr("CONFIG_X86_5LEVEL"));
}

TEST_F(SegmentPlanTest, PurgatoryIsTheSameSizeWithoutChecks) {
  SegmentPlan checked = Crash();
  check_ = false;
  SegmentPlan unchecked = Crash();
  EXPECT_EQ(SegmentNamed(checked, "purgatory").memory, SegmentNamed(unchecked, "purgatory").memory);
}

TEST_F(SegmentPlanTest, ThousandsOfRanges) {
  std::string iomem(kIomem2GiB);
  for (uint64_t i = 0; i < 80000; ++i) {
    uint64_t base = (i + 16) << 28;
    iomem += fmt::format("{:x}-{:x} : System RAM\n", base, base + (i < 10 ? 0xfff : 0x7ffffff));
  }
  machine_.Set("proc/iomem", iomem);
  machine_.Set("proc/meminfo", "MemTotal: 10000000000 kB\n");
  Result<SegmentPlan> plan = Try(Slot::kCrash);
  // Page tables for 10 TiB are more than this reservation has beside the rest.
  EXPECT_TRUE(plan) << plan.error().message();
  EXPECT_THAT(plan->notes, ElementsAre(HasSubstr("left out of the dump")));
  EXPECT_EQ(ReadElfcorehdr(SegmentNamed(*plan, "elfcorehdr").bytes).size(), 65532u);
}

}  // namespace
}  // namespace kdumpkit
