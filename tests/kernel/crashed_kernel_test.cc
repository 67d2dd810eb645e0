// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/crashed_kernel.h"

#include <gtest/gtest.h>

#include "kernel/arch.h"
#include "tests/support/fake_kernel.h"

namespace kdumpkit {
namespace {

std::unique_ptr<CrashedKernel> Open(const FakeKernel& fake) {
  auto kernel = CrashedKernel::Open(fake.memory(), {FakeKernel::kElfMachine}, fake.vmcoreinfo());
  CHECK(kernel.has_value());
  return std::move(*kernel);
}

TEST(CrashedKernel, TellsWhatItIs) {
  FakeKernel fake;
  auto kernel = Open(fake);
  EXPECT_EQ(kernel->arch().name(), "x86_64");
  EXPECT_EQ(kernel->machine().elf_machine, 62);
  EXPECT_EQ(kernel->page_size(), 4096u);
  EXPECT_EQ(kernel->page_shift(), 12);
  EXPECT_EQ(&kernel->source(), &fake.memory());
  EXPECT_EQ(kernel->info().Text("OSRELEASE"), "6.12.0-fake");
}

TEST(CrashedKernel, PhysBaseIsModuloTwoToTheSixtyFour) {
  FakeKernel fake;
  EXPECT_EQ(Open(fake)->phys_base(), uint64_t{0} - 0x3000000);
}

TEST(CrashedKernel, ReadsByVirtualAddressWithFourAndFiveLevels) {
  for (bool five : {false, true}) {
    FakeKernel fake({.five_levels = five});
    auto kernel = Open(fake);
    auto memory = kernel->NewMemory();
    EXPECT_EQ(*memory->Translate(fake.InImage(0x1234)), PhysAddr(0x1001234));
    EXPECT_EQ(*memory->Translate(fake.direct_map() + 0x1234), PhysAddr(0x1234));
    EXPECT_EQ(*memory->Translate(fake.vmemmap() + 64), fake.struct_page(1));
  }
}

TEST(CrashedKernel, ViewOfLargePagesIsAsLongAsMemoryIsContiguous) {
  FakeKernel fake;
  auto kernel = Open(fake);
  auto memory = kernel->NewMemory();
  EXPECT_EQ(memory->View(fake.vmemmap(), MemoryReader::kMaxView)->size(), MemoryReader::kMaxView);
  EXPECT_EQ(memory->View(fake.InImage(0), 4 << 20)->size(), size_t{2} << 20);
}

TEST(Utsname, IsReadFromTheInitialNamespace) {
  FakeKernel fake;
  Result<Utsname> utsname = ReadUtsname(*Open(fake));
  ASSERT_TRUE(utsname);
  EXPECT_EQ(utsname->fields, (std::array<std::string, 6>{"Linux", "crashed", "6.12.0-fake",
                                                         "#1 SMP", "x86_64", "(none)"}));
  EXPECT_EQ(utsname->release(), "6.12.0-fake");
}

TEST(Utsname, FieldWithoutAnEndIsCut) {
  FakeKernel fake;
  fake.memory().Write(fake.Physical(fake.InImage(FakeKernel::kUtsname + 8)),
                      AsBytes(std::string(65, 'x')));
  EXPECT_EQ(ReadUtsname(*Open(fake))->fields[0], std::string(64, 'x'));
}

TEST(Utsname, FieldThatIsNotTextIsNamed) {
  FakeKernel fake;
  fake.memory().Put<uint8_t>(fake.Physical(fake.InImage(FakeKernel::kUtsname + 8 + 2 * 65)), 0x1b);
  EXPECT_EQ(ReadUtsname(*Open(fake)).error().message(),
            "init_uts_ns at 0xffffffff84100000: release is not text");
}

TEST(Utsname, IsBehindTheReferenceCountOnKernelsThatDoNotSay) {
  FakeKernel fake;
  fake.RemoveKey("OFFSET(uts_namespace.name)");
  fake.SetKey("SYMBOL(init_uts_ns)",
              fmt::format("{:x}", fake.InImage(FakeKernel::kUtsname + 4).value));
  EXPECT_EQ(ReadUtsname(*Open(fake))->release(), "6.12.0-fake");
}

TEST(Utsname, GuessedPlaceMustHoldTheRelease) {
  FakeKernel fake;
  fake.RemoveKey("OFFSET(uts_namespace.name)");
  EXPECT_EQ(ReadUtsname(*Open(fake)).error().message(),
            "VMCOREINFO has no OFFSET(uts_namespace.name)");
}

TEST(Utsname, MissingSymbolIsNamed) {
  FakeKernel fake;
  fake.RemoveKey("SYMBOL(init_uts_ns)");
  EXPECT_EQ(ReadUtsname(*Open(fake)).error().message(), "VMCOREINFO has no SYMBOL(init_uts_ns)");
}

TEST(Utsname, UnreadableMemoryIsAnError) {
  FakeKernel fake;
  fake.SetKey("SYMBOL(init_uts_ns)", "ffffffff90000000");
  EXPECT_FALSE(ReadUtsname(*Open(fake)));
}

}  // namespace
}  // namespace kdumpkit
