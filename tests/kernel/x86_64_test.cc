// SPDX-License-Identifier: GPL-2.0-or-later
// Page tables as text: a line is an entry, "table[index] = value".
#include <gtest/gtest.h>

#include <charconv>

#include "kernel/arch.h"
#include "tests/support/fake_memory.h"

namespace kdumpkit {
namespace {

constexpr MachineId kX86_64{.elf_machine = 62};

uint64_t ParseNumber(std::string_view text, int base) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  CHECK(error == std::errc());
  return value;
}

// Every line is at least "table[index] = value": table and value hexadecimal, index decimal.
void PutEntries(FakeMemory& memory, std::string_view text) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    size_t bracket = line.find('[');
    size_t equals = line.find("= ");
    if (bracket == std::string_view::npos) continue;
    uint64_t table = ParseNumber(line.substr(line.find_first_not_of(' ')), 16);
    uint64_t index = ParseNumber(line.substr(bracket + 1), 10);
    memory.Put<uint64_t>(PhysAddr(table + 8 * index), ParseNumber(line.substr(equals + 2), 16));
  }
}

// The top table is at virtual 0xffffffff81000000, physical 0x1000.
constexpr const char* kInfo =
    "PAGESIZE=4096\n"
    "SYMBOL(init_top_pgt)=ffffffff81000000\n"
    "NUMBER(phys_base)=-16773120\n";

class X86_64Test : public testing::Test {
 protected:
  X86_64Test() { memory_.AddRange(PhysAddr(0), uint64_t{1} << 40); }

  std::string Translate(uint64_t address, std::string_view info = kInfo) {
    auto kernel = CrashedKernel::Open(memory_, kX86_64, info);
    if (!kernel) return kernel.error().message();
    Result<PhysAddr> result = (*kernel)->NewMemory()->Translate(VirtAddr(address));
    return result ? fmt::format("{:x}", result->value) : result.error().message();
  }

  FakeMemory memory_;
};

class FourLevels : public X86_64Test {
 protected:
  FourLevels() {
    PutEntries(memory_,
               // ffff888000000000: the direct mapping
               "1000[273] = 2067\n"              // PGD -> PUD table
               "2000[0]   = 3063\n"              // PUD -> PMD table
               "2000[1]   = 80000000400001e3\n"  // 1 GiB page, NX
               "3000[0]   = 4063\n"              // PMD -> PTE table
               "3000[1]   = 80000000052001e3\n"  // 2 MiB page
               "3000[2]   = 54011e3\n"           // 2 MiB page with bit 12 (PAT) set
               "4000[0]   = 8000000000000163\n"  // 4 KiB page
               "4000[1]   = 8000000000abc163\n"  // 4 KiB page
               "4000[2]   = 8000000000def162\n"  // not present
               "4000[3]   = 8000000000def1e3\n"  // bit 7 of a PTE is PAT, not large
               // ffffffff80000000: the kernel image
               "1000[511] = 5067\n"
               "5000[510] = 6063\n"
               "6000[8]   = 1001e1\n"
               // tables that point at themselves
               "1000[300] = 1067\n");
  }
};

TEST_F(FourLevels, FourKiBPage) {
  EXPECT_EQ(Translate(0xffff888000000000), "0");
  EXPECT_EQ(Translate(0xffff888000001234), "abc234");
}

TEST_F(FourLevels, BitSevenOfTheLastLevelIsNotLarge) {
  EXPECT_EQ(Translate(0xffff888000003fff), "deffff");
}

TEST_F(FourLevels, TwoMiBPage) { EXPECT_EQ(Translate(0xffff888000212345), "5212345"); }

TEST_F(FourLevels, AttributeBitsOfALargeEntryAreNoAddress) {
  EXPECT_EQ(Translate(0xffff888000400000), "5400000");
}

TEST_F(FourLevels, OneGiBPage) { EXPECT_EQ(Translate(0xffff888055555555), "55555555"); }

TEST_F(FourLevels, KernelImage) { EXPECT_EQ(Translate(0xffffffff81000000), "0"); }

TEST_F(FourLevels, MissingEntryIsNamedWithItsLevel) {
  EXPECT_EQ(Translate(0xffff888000002000),
            "kernel address 0xffff888000002000: PTE entry 0x8000000000def162 at physical 0x4010 is "
            "not present");
  EXPECT_EQ(Translate(0xffff888000600000),
            "kernel address 0xffff888000600000: PMD entry 0x0 at physical 0x3018 is not present");
  EXPECT_EQ(Translate(0xffff888080000000),
            "kernel address 0xffff888080000000: PUD entry 0x0 at physical 0x2010 is not present");
  EXPECT_EQ(Translate(0xffff800000000000),
            "kernel address 0xffff800000000000: PGD entry 0x0 at physical 0x1800 is not present");
}

TEST_F(FourLevels, AddressMustBeCanonical) {
  EXPECT_EQ(Translate(0xff11000000000000), "kernel address 0xff11000000000000 is not canonical");
  EXPECT_EQ(Translate(0x0000800000000000), "kernel address 0x800000000000 is not canonical");
}

TEST_F(FourLevels, TablesThatPointAtThemselvesEnd) {
  // Index 300 at each level.
  EXPECT_EQ(Translate(0xffff964b2592c123), "1123");
}

TEST_F(FourLevels, TableOutsideOfMemoryIsNamed) {
  PutEntries(memory_, "2000[4] = ffffff00000063\n");
  EXPECT_EQ(Translate(0xffff888100000000),
            "kernel address 0xffff888100000000: reading the PMD entry at physical 0xfffff00000000: "
            "no memory at physical address 0xfffff00000000");
}

TEST_F(FourLevels, EncryptionBitIsStripped) {
  PutEntries(memory_, "4000[4] = 8000800000abc163\n");
  EXPECT_EQ(Translate(0xffff888000004000), "800000abc000");
  EXPECT_EQ(
      Translate(0xffff888000004000, std::string(kInfo) + "NUMBER(sme_mask)=140737488355328\n"),
      "abc000");
}

TEST_F(FourLevels, TopTableHasThreeNames) {
  for (const char* name : {"init_top_pgt", "init_level4_pgt", "swapper_pg_dir"}) {
    EXPECT_EQ(Translate(0xffff888000001000,
                        fmt::format("PAGESIZE=4096\nSYMBOL({})=ffffffff81000000\n"
                                    "NUMBER(phys_base)=-16773120\nNUMBER(pgtable_l5_enabled)=0\n",
                                    name)),
              "abc000");
  }
}

TEST_F(FourLevels, MissingKeysAreNamed) {
  EXPECT_EQ(Translate(0, "PAGESIZE=4096\nNUMBER(phys_base)=0\n"),
            "VMCOREINFO has no SYMBOL(swapper_pg_dir)");
  EXPECT_EQ(Translate(0, "PAGESIZE=4096\nSYMBOL(init_top_pgt)=ffffffff81000000\n"),
            "VMCOREINFO has no NUMBER(phys_base)");
  EXPECT_EQ(Translate(0, "SYMBOL(init_top_pgt)=ffffffff81000000\nNUMBER(phys_base)=0\n"),
            "VMCOREINFO has no PAGESIZE");
}

TEST_F(FourLevels, PageSizeMustBeTheMachines) {
  EXPECT_EQ(Translate(0,
                      "PAGESIZE=65536\nSYMBOL(init_top_pgt)=ffffffff81000000\n"
                      "NUMBER(phys_base)=0\n"),
            "VMCOREINFO says PAGESIZE=65536, which this machine does not have");
}

TEST_F(FourLevels, TopTableOutsideOfTheImageIsRefused) {
  EXPECT_EQ(Translate(0,
                      "PAGESIZE=4096\nSYMBOL(init_top_pgt)=ffff888000000000\n"
                      "NUMBER(phys_base)=0\n"),
            "the page tables at 0xffff888000000000 are outside the kernel image");
}

TEST_F(FourLevels, LargerImageIsAllowedWhereTheKernelSaysSo) {
  std::string info =
      "PAGESIZE=4096\nSYMBOL(init_top_pgt)=ffffffffc1000000\nNUMBER(phys_base)=-1090514944\n";
  EXPECT_EQ(Translate(0xffff888000001000, info),
            "the page tables at 0xffffffffc1000000 are outside the kernel image");
  EXPECT_EQ(Translate(0xffff888000001000, info + "NUMBER(KERNEL_IMAGE_SIZE)=1610612736\n"),
            "abc000");
}

class FiveLevels : public X86_64Test {
 protected:
  FiveLevels() {
    PutEntries(memory_,
               // ff11000000000000: the direct mapping
               "1000[273] = 2067\n"              // PGD -> P4D table
               "2000[0]   = 3063\n"              // P4D -> PUD table
               "2000[1]   = 800000004000e3\n"    // bit 7 means nothing in a P4D
               "3000[0]   = 4063\n"              // PUD -> PMD table
               "3000[3]   = c00001e3\n"          // 1 GiB page
               "4000[5]   = a001e3\n"            // 2 MiB page
               "4000[6]   = 7063\n"              // PMD -> PTE table
               "7000[511] = 8000000000456163\n"  // 4 KiB page
    );
  }
  std::string TranslateFive(uint64_t address) {
    return Translate(address, std::string(kInfo) + "NUMBER(pgtable_l5_enabled)=1\n");
  }
};

TEST_F(FiveLevels, EachPageSize) {
  EXPECT_EQ(TranslateFive(0xff11000000dff00f), "45600f");
  EXPECT_EQ(TranslateFive(0xff11000000a12345), "a12345");
  EXPECT_EQ(TranslateFive(0xff110000dabcdef0), "dabcdef0");
}

TEST_F(FiveLevels, P4dHasNoLargePages) {
  // The entry leads to a table at 0x80000000400000 & mask, where nothing is.
  EXPECT_EQ(TranslateFive(0xff11008000000000),
            "kernel address 0xff11008000000000: PUD entry 0x0 at physical 0x400000 is not present");
}

TEST_F(FiveLevels, CanonicalAddressesHaveFiftySevenBits) {
  EXPECT_EQ(TranslateFive(0xfe00000000000000),
            "kernel address 0xfe00000000000000 is not canonical");
  EXPECT_EQ(TranslateFive(0xffff888000000000),
            "kernel address 0xffff888000000000: PGD entry 0x0 at physical 0x1ff8 is not present");
}

TEST(X86_64, OnlyLittleEndianSixtyFourBit) {
  FakeMemory memory;
  EXPECT_FALSE(CrashedKernel::Open(memory, {.elf_machine = 62, .word_size = 4}, kInfo));
  EXPECT_FALSE(CrashedKernel::Open(memory, {.elf_machine = 62, .order = ByteOrder::kBig}, kInfo));
}

TEST(Arch, UnknownMachineIsNamed) {
  FakeMemory memory;
  EXPECT_EQ(
      CrashedKernel::Open(memory, {.elf_machine = 8}, kInfo).error().message(),
      "the kernel's memory cannot be translated: its machine (ELF machine 8) is not supported");
}

TEST(Arch, IsFoundByElfMachine) {
  ASSERT_NE(FindArch(62), nullptr);
  EXPECT_EQ(FindArch(62)->name(), "x86_64");
  EXPECT_EQ(FindArch(0), nullptr);
}

// Before Linux 4.10 VMCOREINFO has no phys_base.
TEST_F(FourLevels, PhysBaseOfTheFileStandsIn) {
  const char* info = "PAGESIZE=4096\nSYMBOL(init_level4_pgt)=ffffffff81000000\n";
  MachineId machine = kX86_64;
  machine.phys_base = X86_64Arch().PhysBaseOf(VirtAddr(0xffffffff81200000), PhysAddr(0x201000));
  auto kernel = CrashedKernel::Open(memory_, machine, info);
  ASSERT_TRUE(kernel) << kernel.error().message();
  EXPECT_EQ((*kernel)->phys_base(), static_cast<uint64_t>(-16773120));
  machine.phys_base = 0x5000;
  EXPECT_EQ(CrashedKernel::Open(memory_, machine, kInfo).value()->phys_base(),
            static_cast<uint64_t>(-16773120));
}

TEST(X86_64, PhysBaseComesFromTheImageOnly) {
  for (uint64_t address : {uint64_t{0}, uint64_t{0xffff888000000000}, uint64_t{0xffffffffa0000000},
                           uint64_t{0xffffffffff600000}})
    EXPECT_FALSE(X86_64Arch().PhysBaseOf(VirtAddr(address), PhysAddr(0))) << address;
}

}  // namespace
}  // namespace kdumpkit
