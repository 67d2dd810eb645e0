// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/reservation_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

using testing::ElementsAre;

TEST(ReservationText, CommandLine) {
  const struct {
    std::string_view before;
    Reservation values;
    std::string_view after;
  } kCases[] = {
      {"", {"256M"}, "crashkernel=256M"},
      {"ro quiet", {"256M"}, "ro quiet crashkernel=256M"},
      {"ro quiet ", {"256M"}, "ro quiet crashkernel=256M"},
      {"ro  crashkernel=1G quiet", {"256M"}, "ro  crashkernel=256M quiet"},
      {"crashkernel=1G,high crashkernel=72M,low x", {"256M"}, "crashkernel=256M x"},
      {"x crashkernel=1", {"1G,high", "72M,low"}, "x crashkernel=1G,high crashkernel=72M,low"},
      {"a=\"b crashkernel=1 c\" d", {"2M"}, "a=\"b crashkernel=1 c\" d crashkernel=2M"},
      {"mycrashkernel=1", {"2M"}, "mycrashkernel=1 crashkernel=2M"},
      {"ro crashkernel=1 quiet", {}, "ro quiet"},
      {"crashkernel=1", {}, ""},
      {"$kernelopts", {"2M"}, "$kernelopts crashkernel=2M"},
  };
  for (const auto& [before, values, after] : kCases) {
    std::string set = SetReservation(before, values);
    EXPECT_EQ(set, after);
    EXPECT_EQ(FindReservation(set), values) << before;
    EXPECT_EQ(SetReservation(set, values), set) << before;
  }
}

TEST(ReservationText, Entry) {
  EXPECT_EQ(SetInEntry("title A\nversion 6.1\nlinux /vmlinuz\noptions root=/dev/vda1 ro\n"
                       "initrd /i\n",
                       {"256M"}),
            "title A\nversion 6.1\nlinux /vmlinuz\noptions root=/dev/vda1 ro crashkernel=256M\n"
            "initrd /i\n");
  EXPECT_EQ(SetInEntry("options\ta\noptions b crashkernel=1 \n", {"2"}),
            "options\ta\noptions b crashkernel=2 \n");
  EXPECT_EQ(SetInEntry("title A", {"2"}), "title A\noptions crashkernel=2\n");
  EXPECT_EQ(SetInEntry("title crashkernel=1\r\noptions x\r\n", {"2"}),
            "title crashkernel=1\r\noptions x crashkernel=2\r\n");
  EXPECT_THAT(FindInEntry("title crashkernel=1\noptions crashkernel=2\n"), ElementsAre("2"));
  EXPECT_EQ(EntryValue("title A\nlinux   /vmlinuz-6.1 \n", "linux"), "/vmlinuz-6.1");
  EXPECT_EQ(EntryValue("linuxefi /x\n", "linux"), "");
}

TEST(ReservationText, CmdlineFile) {
  EXPECT_EQ(SetInCmdlineFile("root=/dev/vda1 ro\n", {"2"}), "root=/dev/vda1 ro crashkernel=2\n");
  EXPECT_EQ(SetInCmdlineFile("# crashkernel=1\nro", {"2"}), "# crashkernel=1\nro crashkernel=2");
  EXPECT_EQ(SetInCmdlineFile("", {"2"}), "crashkernel=2\n");
  EXPECT_THAT(FindInCmdlineFile("# crashkernel=1\nro crashkernel=3\n"), ElementsAre("3"));
}

TEST(ReservationText, GrubDefaults) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"GRUB_CMDLINE_LINUX=\"rhgb quiet\"\n", "GRUB_CMDLINE_LINUX=\"rhgb quiet crashkernel=2\"\n"},
      {"GRUB_CMDLINE_LINUX=\"\"\n", "GRUB_CMDLINE_LINUX=\"crashkernel=2\"\n"},
      {"GRUB_CMDLINE_LINUX='a'  # x\n", "GRUB_CMDLINE_LINUX='a crashkernel=2'  # x\n"},
      {"GRUB_CMDLINE_LINUX_DEFAULT=\"q crashkernel=1\"\nGRUB_CMDLINE_LINUX=\"a\"\n",
       "GRUB_CMDLINE_LINUX_DEFAULT=\"q crashkernel=2\"\nGRUB_CMDLINE_LINUX=\"a\"\n"},
      {"GRUB_CMDLINE_LINUX_DEFAULT=\"q\"\nGRUB_CMDLINE_LINUX=\"a\"\n",
       "GRUB_CMDLINE_LINUX_DEFAULT=\"q\"\nGRUB_CMDLINE_LINUX=\"a crashkernel=2\"\n"},
      {"GRUB_CMDLINE_LINUX_DEFAULT=\"q\"\n",
       "GRUB_CMDLINE_LINUX_DEFAULT=\"q\"\n"
       "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX crashkernel=2\"\n"},
      {"# GRUB_CMDLINE_LINUX=\"crashkernel=1\"\nX=1",
       "# GRUB_CMDLINE_LINUX=\"crashkernel=1\"\nX=1\n"
       "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX crashkernel=2\"\n"},
      // What is no plain assignment is left alone, and added to.
      {"GRUB_CMDLINE_LINUX=$X\n",
       "GRUB_CMDLINE_LINUX=$X\nGRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX crashkernel=2\"\n"},
      {"GRUB_CMDLINE_LINUX=\"a \\\" b\n",
       "GRUB_CMDLINE_LINUX=\"a \\\" b\nGRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX crashkernel=2\"\n"},
  };
  for (const auto& [before, after] : kCases) {
    EXPECT_EQ(SetInGrubDefaults(before, {"2"}), after);
    EXPECT_THAT(FindInGrubDefaults(after), ElementsAre("2")) << before;
  }
}

TEST(ReservationText, DropIn) {
  EXPECT_THAT(FindInGrubDefaults(GrubDropIn({"512M,high", "72M,low"})),
              ElementsAre("512M,high", "72M,low"));
}

}  // namespace
}  // namespace kdumpkit
