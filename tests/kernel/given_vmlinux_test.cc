// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/given_vmlinux.h"

#include <gtest/gtest.h>

#include "kernel/kernel_facts.h"
#include "kernel/kernel_names.h"
#include "tests/support/btf_builder.h"
#include "tests/support/elf_file_builder.h"
#include "tests/support/fake_memory.h"
#include "tests/support/identity_kernel.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

ByteBuffer SmallBtf(uint32_t flags_at) {
  BtfBuilder builder;
  uint32_t word = builder.Int("long unsigned int", 8);
  builder.Struct("page", 64, {{"flags", word, flags_at * 8}});
  return builder.Build();
}

class GivenVmlinuxTest : public testing::Test {
 protected:
  GivenVmlinuxTest() {
    vmlinux_.btf = SmallBtf(0);
    vmlinux_.symbols = {{"node_data", FakeVmlinux::kText + 0x2000}, {"per_cpu", 0x40}};
  }
  std::unique_ptr<GivenVmlinux> Open() {
    return GivenVmlinux::Open(dir_.Write("vmlinux", BuildVmlinux(vmlinux_))).value();
  }
  static Vmcoreinfo Info(const std::string& text) { return *Vmcoreinfo::Parse(text); }

  TempDir dir_;
  FakeVmlinux vmlinux_;
};

TEST_F(GivenVmlinuxTest, ReadsItsIdentity) {
  auto given = Open();
  EXPECT_EQ(given->file().build_id(), "01ab");
  EXPECT_EQ(given->file().Release(), "6.1.0");
  EXPECT_EQ(given->file().machine(), 62);
  EXPECT_EQ(given->file().word_size(), 8);
}

struct Identity {
  const char* info;
  const char* refusal;  // empty: it is the same kernel
};

TEST_F(GivenVmlinuxTest, OnlyTheSameKernelMatches) {
  constexpr Identity kIdentities[] = {
      {"BUILD-ID=01ab\n", ""},
      {"BUILD-ID=01ab\nOSRELEASE=other\n", ""},
      {"BUILD-ID=01ac\nOSRELEASE=6.1.0\n", "its build-id is 01ab, the dead kernel's is 01ac"},
      {"OSRELEASE=6.1.0\n", ""},
      {"OSRELEASE=6.1.0-1\n", "its release is '6.1.0', the dead kernel's is '6.1.0-1'"},
      {"PAGESIZE=4096\n", "the dead kernel's is ''"}};
  auto given = Open();
  for (const Identity& identity : kIdentities) {
    Status status = given->Match(Info(identity.info));
    EXPECT_EQ(status.has_value(), *identity.refusal == '\0') << identity.info;
    if (status) continue;
    EXPECT_EQ(status.error().kind(), ErrorKind::kUsage);
    EXPECT_NE(status.error().message().find(identity.refusal), std::string::npos)
        << status.error().message();
  }
}

TEST_F(GivenVmlinuxTest, SymbolsMoveWithTheKernelButNotAbsoluteOnes) {
  auto given = Open();
  ASSERT_TRUE(given->Match(Info("BUILD-ID=01ab\nKERNELOFFSET=1c00000\n")));
  EXPECT_EQ(given->Symbol("node_data")->value, FakeVmlinux::kText + 0x2000 + 0x1c00000);
  EXPECT_EQ(given->Symbol("per_cpu")->value, 0x40u);
  EXPECT_FALSE(given->Symbol("node"));
  EXPECT_FALSE(given->Symbol("node_data_"));
  // A symbol that both know says more than the key.
  ASSERT_TRUE(given->Match(Info("BUILD-ID=01ab\nSYMBOL(_stext)=ffffffff82000000\n")));
  EXPECT_EQ(given->Symbol("node_data")->value, FakeVmlinux::kText + 0x2000 + 0x1000000);
}

TEST_F(GivenVmlinuxTest, WritesVmcoreinfo) {
  EXPECT_EQ(Open()->VmcoreinfoText(),
            "OSRELEASE=6.1.0\nBUILD-ID=01ab\nPAGESIZE=4096\nSIZE(page)=64\n"
            "OFFSET(page.flags)=0\nSYMBOL(node_data)=ffffffff81002000\n"
            "LENGTH(node_data)=2\nSYMBOL(_stext)=ffffffff81000000\n");
}

TEST_F(GivenVmlinuxTest, WithoutTypesItHasSymbols) {
  vmlinux_.btf.clear();
  auto given = Open();
  EXPECT_EQ(given->types(), nullptr);
  EXPECT_NE(given->without_types().find("has no section .BTF, and "), std::string::npos);
  EXPECT_TRUE(given->Symbol("node_data"));
}

TEST_F(GivenVmlinuxTest, RefusesWhatIsNoKernel) {
  EXPECT_FALSE(GivenVmlinux::Open(dir_.File("none")));
  EXPECT_FALSE(GivenVmlinux::Open(dir_.Write("text", "some text")));
  EXPECT_FALSE(GivenVmlinux::Open(dir_.Write("stripped", BuildLibrary({}))));
  vmlinux_.btf.resize(20);
  EXPECT_FALSE(GivenVmlinux::Open(dir_.Write("bad", BuildVmlinux(vmlinux_))));
}

TEST_F(GivenVmlinuxTest, EveryPrefixIsReadSafely) {
  std::string whole = BuildVmlinux(vmlinux_);
  for (size_t size = 0; size < whole.size(); size += 61) {
    auto given = GivenVmlinux::Open(dir_.Write("cut", whole.substr(0, size)));
    if (given) (void)(*given)->VmcoreinfoText();
  }
}

// A kernel without kallsyms or BTF of its own, to which the user gives a vmlinux.
class KernelWithVmlinux : public IdentityKernel {
 public:
  KernelWithVmlinux(const MemorySource& source, const std::string& info, const GivenVmlinux& given)
      : IdentityKernel(source, info, MachineId{62}), given_(given) {}
  const GivenVmlinux* vmlinux() const override { return &given_; }

 private:
  const GivenVmlinux& given_;
};

TEST_F(GivenVmlinuxTest, IsTheThirdSourceOfFacts) {
  auto given = Open();
  FakeMemory memory;
  memory.AddRange(PhysAddr(0), 1 << 20);
  KernelWithVmlinux kernel(memory, "OFFSET(page.flags)=8\n", *given);
  KernelFacts facts = KernelFacts::Learn(kernel, KernelNames::Learn(kernel));
  EXPECT_EQ(facts.without_btf(), "");
  const KernelFact& size = facts.settled().find("SIZE(page)")->second;
  EXPECT_EQ(size.value, 64u);
  EXPECT_EQ(size.source, FactSource::kVmlinux);
  EXPECT_EQ(facts.settled().find("SYMBOL(node_data)")->second.source, FactSource::kVmlinux);
  EXPECT_EQ(facts.Contradictions(),
            std::vector<std::string>{"OFFSET(page.flags) is 8 by VMCOREINFO, but 0 by vmlinux"});
  EXPECT_FALSE(facts.Offset("page", "flags"));
}

}  // namespace
}  // namespace kdumpkit
