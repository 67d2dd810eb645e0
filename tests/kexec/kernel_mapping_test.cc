// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/kernel_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kexec/segment_machine.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

struct Found {
  Result<KernelMapping> mapping;
  std::vector<std::string> notes;
};

Found Find(const FakeMachine& machine) {
  Iomem iomem = ReadIomem(machine.Root()).value();
  std::vector<std::string> notes;
  Result<KernelMapping> mapping = FindKernelMapping(machine.Root(), iomem, notes);
  return {std::move(mapping), std::move(notes)};
}

constexpr std::string_view kSymbols =
    "0000000000000000 A fixed_percpu_data\n"
    "ffffffffb8200000 T _stext\n"
    "ffffffffb8200000 T _text\n"
    "ffffffffb8200050 T secondary_startup_64\n"
    "ffffffffb8200060 t my_end\t[module]\n"
    "ffffffffbb630000 B _end\n";

TEST(KernelMapping, FromKcore) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  Found found = Find(machine);
  EXPECT_EQ(found.mapping->text, VirtAddr(0xffffffffb8200000));
  EXPECT_EQ(found.mapping->image, (PhysRange{PhysAddr(0x69c00000), 0x3430000}));
  EXPECT_EQ(found.mapping->direct_map, VirtAddr(0xffff8ac000000000));
  EXPECT_FALSE(found.mapping->FiveLevels());
  EXPECT_TRUE(found.notes.empty());
}

TEST(KernelMapping, FiveLevels) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  machine.Set("proc/kcore",
              MakeKcore(0xffffffff81000000, 0x1000000, 0x3430000, 0xff24e05540000000));
  EXPECT_EQ(Find(machine).mapping->direct_map, VirtAddr(0xff24e05540000000));
  EXPECT_TRUE(Find(machine).mapping->FiveLevels());
}

TEST(KernelMapping, WithoutKcoreFromSymbolsWithANote) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  machine.Remove("proc/kcore");
  machine.Set("proc/kallsyms", kSymbols);
  Found found = Find(machine);
  EXPECT_EQ(found.mapping->text, VirtAddr(0xffffffffb8200000));
  EXPECT_EQ(found.mapping->image, (PhysRange{PhysAddr(0x69c00000), 0x3430000}));
  EXPECT_EQ(found.mapping->direct_map, VirtAddr(0xffff888000000000));
  ASSERT_EQ(found.notes.size(), 1u);
  EXPECT_THAT(found.notes[0], HasSubstr("CONFIG_PROC_KCORE"));
}

TEST(KernelMapping, WithoutKaslrTheDefaultIsRight) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  machine.Remove("proc/kcore");
  machine.Set("proc/kallsyms", kSymbols);
  machine.Set("proc/cmdline", "ro nokaslr quiet\n");
  Found found = Find(machine);
  EXPECT_TRUE(found.mapping);
  EXPECT_TRUE(found.notes.empty());
}

TEST(KernelMapping, EndComesFromIomemWhenNoSymbolTellsIt) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  machine.Remove("proc/kcore");
  machine.Set("proc/kallsyms", "ffffffffb8200000 T _text\nffffffff00000000 B _end\n");
  EXPECT_EQ(Find(machine).mapping->image, Inclusive(0x69c00000, 0x6cffffff));
}

TEST(KernelMapping, NothingServesIsAnErrorThatNamesTheOption) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  machine.Remove("proc/kcore");
  std::string message = Find(machine).mapping.error().message();
  EXPECT_THAT(message, HasSubstr("/proc/kcore': No such file"));
  EXPECT_THAT(message, HasSubstr("CONFIG_PROC_KCORE"));
  EXPECT_THAT(message, HasSubstr("/proc/kallsyms"));
  machine.Set("proc/kallsyms", "0000000000000000 T _text\n");
  EXPECT_THAT(Find(machine).mapping.error().message(), HasSubstr("kernel.kptr_restrict"));
}

// A part of kcore that is damaged or missing gives an error or another source, never a crash.
TEST(KernelMapping, SurvivesEveryPrefixAndEveryDamagedByte) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  std::string kcore = machine.Get("proc/kcore").substr(0, 64 + 7 * 56);
  for (size_t size = 0; size < kcore.size(); ++size) {
    machine.Set("proc/kcore", kcore.substr(0, size));
    EXPECT_FALSE(Find(machine).mapping) << size;
  }
  for (size_t at = 0; at < kcore.size(); ++at) {
    std::string damaged = kcore;
    damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
    machine.Set("proc/kcore", damaged);
    static_cast<void>(Find(machine));
  }
}

TEST(KernelMapping, KcoreWithoutRamOrTextIsNotEnough) {
  FakeMachine machine;
  AddSegmentFiles(machine);
  machine.Set("proc/kcore", MakeKcore(0xffff900000000000, 0x1000000, 0x1000, 0xffff888000000000));
  EXPECT_THAT(Find(machine).mapping.error().message(), HasSubstr("kernel's own code"));
  machine.Set("proc/kcore", MakeKcore(0xffffffff81000000, 0x1000000, 0x1000, 0x1000));
  EXPECT_THAT(Find(machine).mapping.error().message(), HasSubstr("does not list the memory"));
}

}  // namespace
}  // namespace kdumpkit
