// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/iomem.h"

#include <gtest/gtest.h>

#include "tests/kexec/fake_machine.h"

namespace kdumpkit {
namespace {

TEST(Iomem, LevelsNamesAndOrder) {
  Iomem iomem = ParseIomem(
      "00100000-7ffdffff : System RAM\n"
      "  01000000-01ffffff : Kernel code\n"
      "80000000-febfffff : PCI Bus 0000:00\n"
      "  fd000000-fdffffff : 0000:00:01.0\n"
      "    fd000000-fdffffff : bochs-drm\n"
      "1000-1fff\n");
  ASSERT_EQ(iomem.size(), 6u);
  EXPECT_EQ(iomem[0].range, (PhysRange{PhysAddr(0x100000), 0x7fee0000}));
  EXPECT_EQ(iomem[0].level, 0);
  EXPECT_EQ(iomem[1].name, "Kernel code");
  EXPECT_EQ(iomem[1].level, 1);
  EXPECT_EQ(iomem[4].name, "bochs-drm");
  EXPECT_EQ(iomem[4].level, 2);
  EXPECT_EQ(iomem[5].name, "");
  EXPECT_EQ(RangesNamed(iomem, "0000:00:01.0"),
            (std::vector<PhysRange>{{PhysAddr(0xfd000000), 0x1000000}}));
  EXPECT_TRUE(RangesNamed(iomem, "System").empty());
}

TEST(Iomem, MalformedLinesArePassedOver) {
  for (const char* line : {"", "x", "-", "1000-", "-1fff", "2000-1000", "g000-gfff", "1000 1fff",
                           "0-ffffffffffffffff", "1-fffffffffffffffff", "  ", "  : ", " : x"})
    EXPECT_TRUE(ParseIomem(line).empty()) << line;
}

TEST(Iomem, SurvivesEveryPrefix) {
  std::string text = "00100000-7ffdffff : System RAM\n  01000000-01ffffff : Kernel code\n";
  for (size_t size = 0; size <= text.size(); ++size)
    EXPECT_LE(ParseIomem(std::string_view(text).substr(0, size)).size(), 2u);
}

TEST(Iomem, HiddenAddressesAreAnErrorThatSaysSo) {
  FakeMachine machine;
  machine.Set("proc/iomem", "00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n");
  EXPECT_EQ(ReadIomem(machine.Root()).value().size(), 2u);
  Result<Iomem> iomem = RequireIomem(machine.Root());
  EXPECT_EQ(iomem.error().error_number(), EPERM);
  EXPECT_EQ(iomem.error().message(),
            "'/proc/iomem' shows its addresses as zeros without CAP_SYS_ADMIN: run this as root, "
            "and not in a container");
}

TEST(Iomem, MissingOrEmptyFileIsAnError) {
  FakeMachine machine;
  machine.Set("proc/iomem", "");
  EXPECT_EQ(RequireIomem(machine.Root()).error().message(), "'/proc/iomem' lists no memory");
  machine.Remove("proc/iomem");
  EXPECT_EQ(RequireIomem(machine.Root()).error().error_number(), ENOENT);
}

}  // namespace
}  // namespace kdumpkit
