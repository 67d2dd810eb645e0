// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/name_sources.h"

#include <gtest/gtest.h>

#include "tests/support/elf_file_builder.h"
#include "tests/support/temp_dir.h"
#include "tests/support/vmcore_builder.h"

namespace kdumpkit {
namespace {

constexpr std::string_view kText =
    "OSRELEASE=6.1.0\nKERNELOFFSET=0\nPAGESIZE=4096\nSYMBOL(_stext)=ffffffff81000000\n"
    "SYMBOL(prb)=ffffffff82000000\nSIZE(page)=64\n";

class NameSourcesTest : public testing::Test {
 protected:
  // A core whose VMCOREINFO is `own`; without one, when it is empty.
  Input Core(std::string_view own, uint64_t image_at = 0) {
    VmcoreBuilder builder;
    if (!own.empty()) builder.AddVmcoreinfo(own);
    builder.AddSegment(PhysAddr(0x1000000), VirtAddr(image_at), ByteBuffer(8192));
    return Input::Open(builder.WriteTo(dir_.File("core"))).value();
  }
  GivenNames Text(std::string_view text = kText) {
    NameSources sources;
    sources.vmcoreinfo = dir_.Write("text", text);
    return GivenNames::Load(sources).value();
  }
  GivenNames File(const FakeVmlinux& vmlinux) {
    NameSources sources;
    sources.vmlinux = dir_.Write("vmlinux", BuildVmlinux(vmlinux));
    return GivenNames::Load(sources).value();
  }

  TempDir dir_;
};

TEST_F(NameSourcesTest, WithoutNamesTheKernelsOwnTextStays) {
  EXPECT_EQ(CombineVmcoreinfo(Core("A=1\n"), GivenNames()).value(), "A=1\n");
}

TEST_F(NameSourcesTest, TextFillsWhatIsMissingAndMovesSymbols) {
  std::string own = "OSRELEASE=6.1.0\nKERNELOFFSET=1000000\nSIZE(page)=56\n";
  std::string text = CombineVmcoreinfo(Core(own), Text()).value();
  Vmcoreinfo info = *Vmcoreinfo::Parse(text);
  EXPECT_EQ(info.Symbol("prb")->value, 0xffffffff83000000);
  EXPECT_EQ(info.Size("page"), 56u);
  EXPECT_EQ(info.PageSize(), 4096u);
  EXPECT_EQ(info.Text("KERNELOFFSET"), "1000000");
}

TEST_F(NameSourcesTest, AnotherKernelIsRefused) {
  Input core = Core("OSRELEASE=6.1.0-2\nBUILD-ID=01\n");
  for (const GivenNames& names : {Text(), File({})}) {
    Result<std::string> text = CombineVmcoreinfo(core, names);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().kind(), ErrorKind::kUsage);
  }
  NameSources sources;
  sources.vmcoreinfo = dir_.File("text");
  EXPECT_FALSE(Crash::Open(dir_.File("core"), sources));  // not a warning only
}

TEST_F(NameSourcesTest, CoreWithoutVmcoreinfoShowsWhereItsImageIs) {
  Input core = Core("", 0xffffffff81000000 + 0x1400000);
  Vmcoreinfo info = *Vmcoreinfo::Parse(CombineVmcoreinfo(core, Text()).value());
  EXPECT_EQ(info.Symbol("prb")->value, 0xffffffff82000000 + 0x1400000);
  EXPECT_EQ(info.Text("KERNELOFFSET"), "1400000");
  EXPECT_FALSE(info.Number("pgtable_l5_enabled"));
}

TEST_F(NameSourcesTest, VmlinuxSaysHowManyLevelsPageTablesHave) {
  FakeVmlinux vmlinux;
  vmlinux.symbols = {{"pgdir_shift", FakeVmlinux::kText + 16}};
  Input core = Core("", FakeVmlinux::kText);
  Vmcoreinfo info = *Vmcoreinfo::Parse(CombineVmcoreinfo(core, File(vmlinux)).value());
  EXPECT_EQ(info.Number("pgtable_l5_enabled"), 0);
  vmlinux.symbols = {{"pgdir_shift", FakeVmlinux::kText + 0x10000000}};
  EXPECT_FALSE(CombineVmcoreinfo(core, File(vmlinux)));  // outside of the core
}

TEST_F(NameSourcesTest, WithoutTheImagesPlaceThereIsNoKernel) {
  for (uint64_t image_at : {uint64_t{0}, uint64_t{0xffffffff81234000}}) {
    Result<std::string> text = CombineVmcoreinfo(Core("", image_at), Text());
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().kind(), ErrorKind::kUnsupported);
  }
}

TEST_F(NameSourcesTest, BadTextIsRefused) {
  for (std::string_view text : {"", "no line", "OSRELEASE=1\nSIZE(page)=zz\n"}) {
    NameSources sources;
    sources.vmcoreinfo = dir_.Write("text", text);
    EXPECT_FALSE(GivenNames::Load(sources)) << text;
  }
}

}  // namespace
}  // namespace kdumpkit
