// SPDX-License-Identifier: GPL-2.0-or-later
// The walker on tables of an invented machine: big-endian, 32-bit entries, two levels.
#include "kernel/page_tables.h"

#include <gtest/gtest.h>

#include "kernel/paged_memory.h"
#include "tests/support/fake_memory.h"

namespace kdumpkit {
namespace {

constexpr MachineId kBig32{.elf_machine = 0, .order = ByteOrder::kBig, .word_size = 4};

class PageTables : public testing::Test {
 protected:
  PageTables() {
    memory_.AddRange(PhysAddr(0), 0x100000);
    paging_.root = PhysAddr(0x1000);
    paging_.levels = {{"TOP", 22, 10, true}, {"PTE", 12, 10, false}};
    paging_.entry_size = 4;
    paging_.address_bits = 32;
    paging_.sign_extended = false;
    paging_.present_mask = 1;
    paging_.large_mask = 0x80;
    paging_.address_mask = 0xfffff000;
    Entry(0x1000, 0x300, 0x2001);  // c0000000 -> table at 0x2000
    Entry(0x2000, 0, 0x10001);
    Entry(0x2000, 1, 0x11001);     // contiguous to the page before
    Entry(0x2000, 2, 0x20001);     // not contiguous
    Entry(0x2000, 3, 0xff001);     // the last page of memory
    Entry(0x2000, 4, 0x100001);    // contiguous, but no memory
    Entry(0x1000, 0x3ff, 0x2001);  // ffc00000 -> the same table
  }
  void Entry(uint64_t table, uint64_t index, uint32_t value) {
    memory_.Put(PhysAddr(table + 4 * index), value, ByteOrder::kBig);
  }
  PagedMemory Memory() { return {paging_, kBig32, memory_}; }

  FakeMemory memory_;
  Paging paging_;
};

TEST_F(PageTables, EntriesOfThirtyTwoBitsInBigEndian) {
  EXPECT_EQ(*Memory().Translate(VirtAddr(0xc0002345)), PhysAddr(0x20345));
}

TEST_F(PageTables, LargePageOfTheTopLevel) {
  Entry(0x1000, 0x301, 0x00400081);
  EXPECT_EQ(*Memory().Translate(VirtAddr(0xc0723456)), PhysAddr(0x723456));
}

TEST_F(PageTables, AddressAboveTheMachinesBitsIsNotCanonical) {
  EXPECT_FALSE(Memory().Translate(VirtAddr(0x1c0000000)));
}

TEST_F(PageTables, WordsAreOfTheMachinesSizeAndOrder) {
  memory_.Put<uint32_t>(PhysAddr(0x10008), 0x11223344, ByteOrder::kBig);
  PagedMemory memory = Memory();
  EXPECT_EQ(*memory.ReadU32(VirtAddr(0xc0000008)), 0x11223344u);
  EXPECT_EQ(*memory.ReadWord(VirtAddr(0xc0000008)), 0x11223344u);
}

TEST_F(PageTables, ReadCrossesPages) {
  memory_.Put<uint8_t>(PhysAddr(0x11fff), 0xaa);
  memory_.Put<uint8_t>(PhysAddr(0x20000), 0xbb);
  std::array<std::byte, 2> bytes;
  ASSERT_TRUE(Memory().Read(VirtAddr(0xc0001fff), bytes));
  EXPECT_EQ(bytes[0], std::byte{0xaa});
  EXPECT_EQ(bytes[1], std::byte{0xbb});
}

TEST_F(PageTables, ViewEndsWherePhysicalMemoryIsNoLongerContiguous) {
  EXPECT_EQ(Memory().View(VirtAddr(0xc0000100), 0x4000)->size(), 0x1f00u);
  EXPECT_EQ(Memory().View(VirtAddr(0xc0000100), 0x200)->size(), 0x200u);
}

TEST_F(PageTables, ViewEndsWithTheMemory) {
  EXPECT_EQ(Memory().View(VirtAddr(0xc0003000), 0x4000)->size(), 0x1000u);
  EXPECT_FALSE(Memory().View(VirtAddr(0xc0004000), 1));
}

TEST_F(PageTables, ViewMayEndInAPageThatMemoryHasInPart) {
  FakeMemory partial;
  partial.AddRange(PhysAddr(0), 0x10c00);
  partial.Write(PhysAddr(0), memory_.Copy(PhysAddr(0), 0x10c00));
  PagedMemory memory(paging_, kBig32, partial);
  EXPECT_EQ(memory.View(VirtAddr(0xc0000000), 0x4000)->size(), 0x1000u);
  std::array<std::byte, 0x1000> bytes;
  EXPECT_TRUE(memory.Read(VirtAddr(0xc0000000), bytes));
}

TEST_F(PageTables, CacheDoesNotChangeTranslations) {
  PagedMemory memory = Memory();
  for (int round = 0; round < 3; ++round) {
    for (uint32_t page = 0; page < 20; ++page) {
      if (round == 0) Entry(0x2000, 100 + page, (page << 12) | 1);
      EXPECT_EQ(*memory.Translate(VirtAddr(0xc0064000 + page * 0x1000 + 5)),
                PhysAddr(page * 0x1000 + 5));
    }
  }
}

TEST_F(PageTables, FailedReadNamesAddressAndKeepsItsErrno) {
  FaultyMemory faulty(memory_);
  faulty.Fail(PhysAddr(0x2000), 0x1000);
  PagedMemory memory(paging_, kBig32, faulty);
  Result<PhysAddr> result = memory.Translate(VirtAddr(0xc0001000));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().error_number(), EIO);
  EXPECT_EQ(result.error().message(),
            "kernel address 0xc0001000: reading the PTE entry at physical 0x2004: reading physical "
            "address 0x2004: Input/output error");
}

TEST_F(PageTables, FailedDataReadNamesTheVirtualAddress) {
  FaultyMemory faulty(memory_);
  faulty.Fail(PhysAddr(0x11000), 0x1000);
  PagedMemory memory(paging_, kBig32, faulty);
  EXPECT_TRUE(memory.ReadU32(VirtAddr(0xc0000000)));
  EXPECT_EQ(memory.ReadU32(VirtAddr(0xc0001000)).error().message(),
            "kernel address 0xc0001000: reading physical address 0x11000: Input/output error");
}

}  // namespace
}  // namespace kdumpkit
