// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/kernel_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/kdumpctl/live_fixture.h"

namespace kdumpkit {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(KernelChoice, WhereDistributionsPutIt) {
  const char* const kPlaces[] = {
      "/boot/vmlinuz-6.9.9",
      "/lib/modules/6.9.9/vmlinuz",
      "/usr/lib/modules/6.9.9/vmlinuz",
      "/boot/0123456789abcdef/6.9.9/linux",
      "/efi/0123456789abcdef/6.9.9/linux",
      "/boot/efi/0123456789abcdef/6.9.9/linux",
      "/boot/Image-6.9.9",
      "/boot/efi/EFI/Linux/debian-6.9.9.efi",
      "/efi/EFI/Linux/6.9.9.efi",
  };
  Config config;
  config.kernel_version = "6.9.9";
  for (const char* place : kPlaces) {
    Machine machine;
    machine.Write("/boot/vmlinuz-6.9.99", "another");
    machine.Write("/boot/efi/EFI/Linux/x-16.9.9.efi", "another");
    Result<KernelChoice> none = ChooseKernel(config, machine.root());
    EXPECT_THAT(none.error().message(), HasSubstr("say kernel_image FILE"));
    machine.Write(place, "kernel");
    Result<KernelChoice> kernel = ChooseKernel(config, machine.root());
    ASSERT_TRUE(kernel.has_value()) << place;
    EXPECT_EQ(kernel->file, place);
  }
}

TEST(KernelChoice, EntryOfTheBootLoader) {
  Machine machine;
  machine.Write("/boot/loader/entries/a.conf", "title x\nversion 6.9.8\nlinux /old\n");
  machine.Write("/boot/loader/entries/b.conf", "version 6.9.9\nlinux /img/kernel\n");
  machine.Write("/boot/img/kernel", "kernel");
  Config config;
  config.kernel_version = "6.9.9";
  EXPECT_EQ(ChooseKernel(config, machine.root())->file, "/boot/img/kernel");
}

TEST(KernelChoice, TheConfigurationDecides) {
  Machine machine;
  machine.Folder("/lib/modules/6.1.0-test");
  Config config;
  Result<KernelChoice> kernel = ChooseKernel(config, machine.root());
  EXPECT_EQ(kernel->release, "6.1.0-test");
  EXPECT_EQ(kernel->file, "/boot/vmlinuz-6.1.0-test");
  EXPECT_EQ(kernel->module_folder, "/lib/modules/6.1.0-test");
  config.kernel_image = "/srv/kernel";
  EXPECT_THAT(ChooseKernel(config, machine.root()).error().message(),
              HasSubstr("no kernel_image '/srv/kernel'"));
  machine.Write("/srv/kernel", "kernel");
  EXPECT_EQ(ChooseKernel(config, machine.root())->file, "/srv/kernel");
}

class CommandLineTest : public testing::Test {
 protected:
  std::string Line(const std::string& running) {
    machine_.Write("/proc/cmdline", running + "\n");
    return " " + CaptureCommandLine(config_, facts_, machine_.root()) + " ";
  }
  Machine machine_;
  Config config_;
  BootFacts facts_{.host = "10.0.0.1", .boot_id = "b00t"};
};

TEST_F(CommandLineTest, WhatIsTakenOff) {
  std::string line = Line(
      "BOOT_IMAGE=/vmlinuz-6.1 root=/dev/vda1 ro rootflags=x quiet crashkernel=256M hugepages=10 "
      "hugepagesz=1G log_buf_len=16M elfcorehdr=0x1 nr_cpus=8 empty= kdump.level=3 "
      "rd.lvm.lv=a/b panic=0 console=ttyS0,115200 x.y=\"a b\" -- single");
  for (const char* gone :
       {"BOOT_IMAGE", "root=", " ro ", "rootflags", "quiet", "crashkernel", "hugepages", "log_buf",
        "elfcorehdr", "nr_cpus=8", "empty", "kdump.level", "rd.lvm", "panic=0", "single", "--"})
    EXPECT_THAT(line, Not(HasSubstr(gone))) << gone;
  EXPECT_THAT(line,
              AllOf(HasSubstr(" console=ttyS0,115200 "), HasSubstr(" x.y=\"a b\" "),
                    HasSubstr(" nr_cpus=1 "), HasSubstr(" panic=10 "), HasSubstr(" reset_devices "),
                    HasSubstr(" kdump.host=10.0.0.1 "), HasSubstr(" kdump.boot-id=b00t ")));
  EXPECT_THAT(line, Not(HasSubstr("kdump.test-id")));
}

TEST_F(CommandLineTest, WhatTheConfigurationSays) {
  config_.command_line = {"console=ttyS1", "quiet"};
  config_.command_line_append = {"a.b=1 2", "debug"};
  config_.command_line_remove = {"numa", "transparent-hugepage"};
  config_.cpus = 0;
  facts_.test_id = "77";
  facts_.words = {"root=kdump"};
  std::string line = Line("foo");
  EXPECT_THAT(line, AllOf(testing::StartsWith(" console=ttyS1 "), HasSubstr(" a.b=\"1 2\" debug "),
                          HasSubstr(" kdump.test-id=77 "), HasSubstr(" root=kdump ")));
  for (const char* gone : {"foo", "numa", "transparent", "nr_cpus", "quiet"})
    EXPECT_THAT(line, Not(HasSubstr(gone)));
}

TEST_F(CommandLineTest, TheRootStaysForTheLastResort) {
  config_.failure_action = FailureAction::kDumpToRootfs;
  EXPECT_THAT(Line("root=UUID=x rootfstype=ext4 crashkernel=1"),
              AllOf(HasSubstr(" root=UUID=x rootfstype=ext4 "), Not(HasSubstr("crashkernel"))));
}

TEST_F(CommandLineTest, WatchdogsAndTheFirstCpu) {
  machine_.Device("/sys/devices/platform/wdt", "hpwdt");
  machine_.Link("/sys/class/watchdog/watchdog0/device", "/sys/devices/platform/wdt");
  machine_.Write("/proc/cpuinfo", "processor\t: 0\napicid\t\t: 3\ninitial apicid\t: 4\n");
  EXPECT_THAT(Line(""),
              AllOf(HasSubstr(" hpwdt.kdumptimeout=0 "), HasSubstr(" hpwdt.pretimeout=0 "),
                    HasSubstr(" disable_cpu_apicid=4 ")));
}

TEST_F(CommandLineTest, ItIsNotEndless) {
  // COMMAND_LINE_SIZE of x86 is 2048, and the kernel adds elfcorehdr=.
  EXPECT_LT(Line("root=/dev/vda1 console=ttyS0").size(), 700u);
}

}  // namespace
}  // namespace kdumpkit
