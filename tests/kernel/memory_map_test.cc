// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/memory_map.h"

#include <gtest/gtest.h>

#include "tests/support/fake_kernel.h"

namespace kdumpkit {
namespace {

using Table = FakeKernelOptions::SectionTable;

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kSection = FakeKernel::kSectionPages;

Result<MemoryMap> ReadFrom(const FakeKernel& fake, const MemorySource& source) {
  auto kernel = CrashedKernel::Open(source, {FakeKernel::kElfMachine}, fake.vmcoreinfo());
  CHECK(kernel.has_value());
  return ReadMemoryMap(**kernel, KernelFacts::FromVmcoreinfo((*kernel)->info()));
}

Result<MemoryMap> Read(const FakeKernel& fake) { return ReadFrom(fake, fake.memory()); }

std::vector<uint64_t> Numbers(const MemoryMap& map) {
  std::vector<uint64_t> numbers;
  for (const MapSection& section : map.sections) numbers.push_back(section.first.value / kSection);
  return numbers;
}

// The kernel's structures, all of which are between 16 and 64 MiB, in a memory of other ranges.
FakeMemory MemoryOf(const FakeKernel& fake, const std::vector<PhysRange>& ranges) {
  FakeMemory memory;
  for (const PhysRange& range : ranges) memory.AddRange(range.base, range.size);
  memory.Write(PhysAddr(16 * kMiB), fake.memory().Copy(PhysAddr(16 * kMiB), 48 * kMiB));
  return memory;
}

TEST(MemoryMap, SectionsOfEachKindOfTable) {
  for (Table table : {Table::kExtreme, Table::kPointerToExtreme, Table::kFlat}) {
    for (bool five : {false, true}) {
      FakeKernel fake({.five_levels = five, .sections = table});
      Result<MemoryMap> map = Read(fake);
      ASSERT_TRUE(map) << map.error().message();
      ASSERT_EQ(map->sections.size(), 2u);
      EXPECT_EQ(map->sections[0].first, Pfn(0));
      EXPECT_EQ(map->sections[0].pages, kSection);
      EXPECT_EQ(map->sections[0].mem_map, fake.vmemmap());
      EXPECT_EQ(map->sections[1].first, Pfn(kSection));
      EXPECT_EQ(map->sections[1].mem_map, fake.vmemmap() + kSection * 64);
      EXPECT_TRUE(map->warnings.empty());
    }
  }
}

TEST(MemoryMap, ExtremeIsAssumedWithoutALength) {
  FakeKernel fake;
  fake.RemoveKey("LENGTH(mem_section)");
  EXPECT_EQ(Numbers(*Read(fake)), (std::vector<uint64_t>{0, 1}));
}

TEST(MemoryMap, GeometryOfTheMachineWithoutKeys) {
  for (bool five : {false, true}) {
    FakeKernel fake({.five_levels = five});
    fake.RemoveKey("NUMBER(SECTION_SIZE_BITS)");
    fake.RemoveKey("NUMBER(MAX_PHYSMEM_BITS)");
    EXPECT_EQ(Numbers(*Read(fake)), (std::vector<uint64_t>{0, 1}));
  }
}

TEST(MemoryMap, SixFlagBitsAreNoAddress) {
  FakeKernel fake;
  fake.SetSectionFlags(1, 0x3f);
  EXPECT_EQ(Read(fake)->sections.at(1).mem_map, fake.vmemmap() + kSection * 64);
}

// A section that was removed keeps its address.
TEST(MemoryMap, SectionThatIsNotPresentIsLeftOut) {
  FakeKernel fake;
  fake.SetSectionFlags(0, 0x0e);
  Result<MemoryMap> map = Read(fake);
  EXPECT_EQ(Numbers(*map), std::vector<uint64_t>{1});
  EXPECT_TRUE(map->warnings.empty());
}

TEST(MemoryMap, SectionWithoutAMapIsLeftOutWithAWarning) {
  FakeKernel fake;
  fake.SetSectionFlags(1, 0x01);
  Result<MemoryMap> map = Read(fake);
  EXPECT_EQ(Numbers(*map), std::vector<uint64_t>{0});
  EXPECT_EQ(map->warnings, std::vector<std::string>{"1 memory sections have no memory map"});
}

TEST(MemoryMap, RootOfSectionsMayBeMissing) {
  // Sections 128 and up have another root, which is NULL.
  FakeKernel fake;
  fake.memory().AddRange(PhysAddr(uint64_t{130} << 27), 128 * kMiB);
  EXPECT_EQ(Numbers(*Read(fake)), (std::vector<uint64_t>{0, 1}));
}

TEST(MemoryMap, OnlineFlag) {
  FakeKernel fake;
  fake.SetSectionFlags(1, 0x0b);
  Result<MemoryMap> map = Read(fake);
  EXPECT_TRUE(map->sections.at(0).online);
  EXPECT_FALSE(map->sections.at(1).online);
}

TEST(MemoryMap, EverySectionIsOnlineWhereTheKernelHasNoSuchFlag) {
  FakeKernel fake;
  fake.SetSectionFlags(0, 0x03);
  fake.SetSectionFlags(1, 0x03);
  Result<MemoryMap> map = Read(fake);
  EXPECT_TRUE(map->sections.at(0).online);
  EXPECT_TRUE(map->sections.at(1).online);
}

TEST(MemoryMap, SectionsWithoutMemoryAreNotLookedAt) {
  FakeKernel fake({.memory = 384 * kMiB});
  fake.memory().Put<uint64_t>(fake.Physical(fake.InImage(FakeKernel::kSectionRoot + 32)), 0x1003);
  FakeMemory hole = MemoryOf(fake, {{PhysAddr(0), 128 * kMiB}, {PhysAddr(256 * kMiB), 128 * kMiB}});
  EXPECT_EQ(Numbers(*ReadFrom(fake, hole)), (std::vector<uint64_t>{0, 2}));
}

TEST(MemoryMap, SectionWhoseMapIsNotMappedIsLeftOutWithAWarning) {
  FakeKernel fake({.memory = 128 * kMiB});
  fake.memory().AddRange(PhysAddr(256 * kMiB), 128 * kMiB);
  fake.SetSectionFlags(2, 0x0f);
  Result<MemoryMap> map = Read(fake);
  EXPECT_EQ(Numbers(*map), std::vector<uint64_t>{0});
  EXPECT_EQ(map->warnings,
            std::vector<std::string>{
                "the memory maps of 1 sections cannot be read: kernel address 0xffffea0000400000: "
                "PMD entry 0x0 at physical 0x1005010 is not present"});
}

TEST(MemoryMap, MapMayHaveAHoleWhereTheSectionHasNoMemory) {
  // Memory begins 16 MiB into section 0; of its struct pages only those from there on are mapped.
  FakeKernel fake;
  PhysAddr table = fake.Physical(fake.InImage(FakeKernel::kScratch));
  uint64_t first = 16 * kMiB / 4096;
  fake.memory().Put(fake.TableEntry(fake.vmemmap(), 21), table.value | 0x63);
  fake.memory().Put(table + first * 64 / 4096 * 8, fake.struct_page(first).value | 0x63);
  FakeMemory late = MemoryOf(fake, {{PhysAddr(16 * kMiB), 240 * kMiB}});
  EXPECT_EQ(Numbers(*ReadFrom(fake, late)), (std::vector<uint64_t>{0, 1}));
}

TEST(MemoryMap, TwoRangesInOneSectionGiveItOnce) {
  FakeKernel fake({.memory = 100 * kMiB});
  fake.memory().AddRange(PhysAddr(104 * kMiB), 8 * kMiB);
  EXPECT_EQ(Numbers(*Read(fake)), std::vector<uint64_t>{0});
}

TEST(MemoryMap, MemoryBeyondTheHighestSectionIsNotLookedAt) {
  FakeKernel fake;
  fake.SetKey("NUMBER(MAX_PHYSMEM_BITS)", "28");
  fake.SetKey("LENGTH(mem_section)", "1");
  fake.memory().AddRange(PhysAddr(512 * kMiB), 128 * kMiB);
  EXPECT_EQ(Numbers(*Read(fake)), (std::vector<uint64_t>{0, 1}));
}

TEST(MemoryMap, NoSectionAtAllIsAnError) {
  FakeKernel fake;
  fake.SetSectionFlags(0, 0);
  fake.SetSectionFlags(1, 0);
  EXPECT_EQ(Read(fake).error().message(),
            "reading mem_section: no memory section at 0xffffffff84121000");
}

TEST(MemoryMap, GarbageInTheTableIsAnError) {
  FakeKernel fake;
  fake.memory().Put<uint64_t>(fake.Physical(fake.InImage(FakeKernel::kSectionRoot)), 0x1003);
  EXPECT_EQ(Read(fake).error().message(),
            "reading mem_section: section 0: 0x1000 is no address of struct pages");
}

TEST(MemoryMap, UnreadableTableIsAnErrorWithItsErrno) {
  FakeKernel fake;
  FaultyMemory faulty(fake.memory());
  faulty.Fail(fake.Physical(fake.InImage(FakeKernel::kSectionRoot)), 4096);
  Result<MemoryMap> map = ReadFrom(fake, faulty);
  ASSERT_FALSE(map);
  EXPECT_EQ(map.error().error_number(), EIO);
}

TEST(MemoryMap, MissingKeysAreNamed) {
  for (const char* key :
       {"SYMBOL(mem_section)", "SIZE(mem_section)", "OFFSET(mem_section.section_mem_map)"}) {
    FakeKernel fake;
    fake.RemoveKey(key);
    EXPECT_EQ(Read(fake).error().message(), std::string(key) + " is missing");
  }
}

TEST(MemoryMap, ImpossibleKeysAreRefused) {
  struct Case {
    const char* key;
    const char* value;
  };
  for (const Case& bad :
       {Case{"SIZE(mem_section)", "0"}, Case{"SIZE(mem_section)", "4097"},
        Case{"SIZE(mem_section)", "4"}, Case{"OFFSET(mem_section.section_mem_map)", "25"},
        Case{"OFFSET(mem_section.section_mem_map)", "18446744073709551615"},
        Case{"NUMBER(SECTION_SIZE_BITS)", "12"}, Case{"NUMBER(SECTION_SIZE_BITS)", "-1"},
        Case{"NUMBER(SECTION_SIZE_BITS)", "46"}, Case{"NUMBER(MAX_PHYSMEM_BITS)", "65"}}) {
    FakeKernel fake;
    fake.SetKey(bad.key, bad.value);
    EXPECT_EQ(Read(fake).error().kind(), ErrorKind::kMalformed) << bad.key << "=" << bad.value;
  }
}

TEST(MemoryMap, MoreSectionsThanAnyMachineHasAreRefused) {
  FakeKernel fake({.five_levels = true});
  fake.memory().AddRange(PhysAddr(uint64_t{1} << 40), uint64_t{1} << 51);
  EXPECT_EQ(Read(fake).error().kind(), ErrorKind::kUnsupported);
}

class FlatMap : public testing::Test {
 protected:
  FlatMap() {
    fake_.RemoveKey("SYMBOL(mem_section)");
    fake_.SetKey("SYMBOL(mem_map)", fmt::format("{:x}", fake_.InImage(kPointer).value));
    Point(fake_.vmemmap());
  }
  void Point(VirtAddr address) {
    fake_.memory().Put(fake_.Physical(fake_.InImage(kPointer)), address.value);
  }

  static constexpr uint64_t kPointer = FakeKernel::kScratch;
  FakeKernel fake_;
};

TEST_F(FlatMap, IsOneSectionForAllMemory) {
  Result<MemoryMap> map = Read(fake_);
  ASSERT_TRUE(map);
  ASSERT_EQ(map->sections.size(), 1u);
  EXPECT_EQ(map->sections[0].first, Pfn(0));
  EXPECT_EQ(map->sections[0].pages, 2 * kSection);
  EXPECT_EQ(map->sections[0].mem_map, fake_.vmemmap());
}

TEST_F(FlatMap, NullIsAnError) {
  Point(VirtAddr(0));
  EXPECT_EQ(Read(fake_).error().message(), "mem_map is NULL");
}

TEST_F(FlatMap, SectionsAreTakenWhereThereAreBoth) {
  FakeKernel both;
  both.SetKey("SYMBOL(mem_map)", "0");
  EXPECT_EQ(Read(both)->sections.size(), 2u);
}

}  // namespace
}  // namespace kdumpkit
