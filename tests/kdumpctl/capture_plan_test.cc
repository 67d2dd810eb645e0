// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/capture_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "config/parse.h"
#include "kdumpctl/full_image.h"
#include "tests/kdumpctl/live_fixture.h"

namespace kdumpkit {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

class CapturePlanTest : public testing::Test {
 protected:
  CapturePlanTest() {
    for (const char* name : {"kdump-capture", "kdump-filter", "ssh"})
      system_.paths[name] = std::string("/bin/") + name;
    machine_.Device("/sys/devices/net0", "e1000");
    machine_.Link("/sys/class/net/eth0/device", "/sys/devices/net0");
    system_.answers = {
        {"ip -json route get 10.0.0.9", R"([{"dev":"eth0","prefsrc":"10.0.0.2"}])"},
        {"ip -json -details link show dev eth0", R"([{"address":"02:00:00:00:00:01","mtu":1500}])"},
        {"ip -json address show dev eth0",
         R"([{"addr_info":[{"local":"10.0.0.2","prefixlen":24,"scope":"global"}]}])"},
    };
    machine_.Folder("/lib/modules/6.1.0-test");
  }
  Result<CapturePlan> Make(const std::string& text) {
    ConfigSource source{"kdump.conf", text};
    ParsedConfig parsed = ParseConfig({&source, 1});
    EXPECT_TRUE(parsed.ok()) << FormatProblem(parsed.problems[0]);
    return MakeCapturePlan(parsed.config, earlier_, machine_.root(), system_);
  }
  std::string Text(const CapturePlan& plan, const std::string& place) {
    for (const ImageText& text : plan.image.texts)
      if (text.destination == place) return text.text;
    return "(none)";
  }
  std::vector<std::string> Places(const std::vector<FileRequest>& files) {
    std::vector<std::string> places;
    for (const FileRequest& file : files) places.push_back(file.destination);
    return places;
  }
  void Program(const std::string& path) {
    std::filesystem::create_directories(std::filesystem::path(machine_.File(path)).parent_path());
    std::filesystem::copy_file("/bin/true", machine_.File(path));
  }
  void Script(const std::string& path, const std::string& text) {
    machine_.Write(path, text);
    chmod(machine_.File(path).c_str(), 0755);
  }
  // vda1 becomes a logical volume.
  void PutOnLvm() {
    machine_.Write("/sys/devices/pci0000:00/0000:00:02.0/virtio1/block/vda/dm/uuid", "LVM-x\n");
    machine_.Write("/proc/modules", "dm_mod 1 2 - Live 0x0\next4 1 1 - Live 0x0\n");
  }

  Machine machine_;
  FakeLiveSystem system_;
  EarlierNetwork earlier_;
};

TEST_F(CapturePlanTest, LocalFolder) {
  Result<CapturePlan> plan = Make("");
  ASSERT_TRUE(plan.has_value()) << plan.error().message();
  EXPECT_EQ(plan->builder, ImageBuilder::kKdumpkit);
  EXPECT_THAT(Places(plan->image.programs), ElementsAre("/init", "/usr/bin/kdump-filter"));
  EXPECT_THAT(plan->image.files, IsEmpty());
  EXPECT_THAT(Text(*plan, "/etc/kdump.conf"),
              HasSubstr("\ndestination UUID=r00t:/var/crash fstype=ext4\n"));
  EXPECT_EQ(Text(*plan, "/etc/machine-id"), "0123456789abcdef\n");
  EXPECT_EQ(Text(*plan, "/etc/kdumpkit/network"), "(none)");
  EXPECT_THAT(plan->image.optional_modules, IsSupersetOf({"virtio_blk", "virtio_pci", "ext4"}));
  EXPECT_EQ(HostTagOf(plan->config, "", machine_.root()), "127.0.0.1");
  EXPECT_EQ(HostTagOf(Make("host_tag hostname\n")->config, "10.0.0.2", machine_.root()), "guest");
}

TEST_F(CapturePlanTest, DriversOfAnotherKernelByTheirAliases) {
  machine_.Write("/boot/vmlinuz-6.2", "kernel");
  machine_.Folder("/lib/modules/6.2");
  EXPECT_THAT(Make("kernel_version 6.2\n")->image.optional_modules,
              IsSupersetOf({"virtio_blk", "virtio:d2", "pci:v1"}));
  EXPECT_THAT(Make("")->image.optional_modules, Not(Contains("virtio:d2")));
}

TEST_F(CapturePlanTest, Ssh) {
  constexpr const char kText[] = "ssh kdump@10.0.0.9\n";
  EXPECT_THAT(Make(kText).error().message(), HasSubstr("'kdumpctl propagate' makes one"));
  machine_.Write("/root/.ssh/kdump_id_rsa", "key");
  machine_.Write("/root/.ssh/known_hosts", "10.0.0.9 ssh-ed25519 AAAA\n");
  Result<CapturePlan> plan = Make(kText);
  ASSERT_TRUE(plan.has_value()) << plan.error().message();
  EXPECT_THAT(Places(plan->image.programs), Contains("/usr/bin/ssh"));
  EXPECT_THAT(Places(plan->image.files),
              ElementsAre("/root/.ssh/kdump_id_rsa", "/root/.ssh/known_hosts"));
  EXPECT_THAT(Text(*plan, "/etc/kdumpkit/network"), HasSubstr("interface 02:00:00:00:00:01 eth0"));
  EXPECT_THAT(plan->image.optional_modules, Contains("e1000"));
  EXPECT_THAT(Text(*plan, "/etc/passwd"), HasSubstr("root:x:0:0:"));
}

TEST_F(CapturePlanTest, AServerWhoseKeyIsNotKnown) {
  machine_.Write("/root/.ssh/kdump_id_rsa", "key");
  machine_.Write("/root/.ssh/known_hosts", "");
  system_.paths["ssh-keygen"] = "/bin/ssh-keygen";
  EXPECT_THAT(Make("ssh kdump@10.0.0.9\n")->warnings,
              ElementsAre(HasSubstr("no key of '10.0.0.9'")));
  system_.answers["ssh-keygen -F [10.0.0.9]:2222 "] = "# Host found\n";
  EXPECT_THAT(Make("destination ssh://kdump@10.0.0.9:2222/d\n")->warnings, IsEmpty());
}

TEST_F(CapturePlanTest, OneOfSeveralDestinationsIsEnough) {
  Result<CapturePlan> plan = Make("destination UUID=gone:/d\ndestination /var/crash\n");
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->destinations.size(), 1u);
  EXPECT_THAT(plan->warnings, ElementsAre(HasSubstr("is left out: UUID=gone:/d: no device")));
  EXPECT_THAT(Make("destination UUID=gone:/d\n").error().message(),
              HasSubstr("no destination can get a dump"));
}

TEST_F(CapturePlanTest, TheNetworkIsNotUpYet) {
  system_.answers.clear();
  EXPECT_THAT(Make("nfs 10.0.0.9:/e\n").error().message(), HasSubstr("no way to '10.0.0.9'"));
  EXPECT_THAT(Make("destination nfs://10.0.0.9/e:/d\ndestination /var/crash\n")->warnings,
              ElementsAre(HasSubstr("destinations on servers cannot be reached")));
  earlier_.network = "interface 1 eth0\n";
  earlier_.local_address = "10.0.0.2";
  Result<CapturePlan> plan = Make("nfs 10.0.0.9:/e\n");
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(Text(*plan, "/etc/kdumpkit/network"), "interface 1 eth0\n");
  EXPECT_THAT(plan->warnings, ElementsAre(HasSubstr("the network of the earlier image is kept")));
}

TEST_F(CapturePlanTest, TheWatchdogIsNotThereYet) {
  earlier_.watchdog_modules = {"iTCO_wdt"};
  Result<CapturePlan> plan = Make("");
  EXPECT_THAT(plan->image.optional_modules, Contains("iTCO_wdt"));
  EXPECT_THAT(plan->watchdog_modules, ElementsAre("iTCO_wdt"));
  EXPECT_THAT(Make("watchdog no\n")->image.optional_modules, Not(Contains("iTCO_wdt")));
}

TEST_F(CapturePlanTest, NetworksThatAreNoPlainCard) {
  system_.answers["ip -json -details link show dev eth0"] =
      R"([{"address":"02::1","linkinfo":{"info_kind":"team"}}])";
  EXPECT_THAT(Make("nfs 10.0.0.9:/e\n").error().message(), HasSubstr("'eth0' is a team"));
}

TEST_F(CapturePlanTest, HooksBringTheirInterpreters) {
  Program("/bin/sh");
  Program("/usr/bin/env");
  Program("/opt/python");
  Script("/opt/pre", "#!/bin/sh -e\n");
  Script("/etc/kdump/post.d/50-x", "#! /usr/bin/env python\n");
  machine_.Write("/etc/kdump/post.d/README", "no hook");
  system_.paths["python"] = "/opt/python";
  Program("/opt/tool");
  Result<CapturePlan> plan = Make("kdump_pre /opt/pre\nextra_bins /opt/tool\n");
  ASSERT_TRUE(plan.has_value()) << plan.error().message();
  EXPECT_THAT(Places(plan->image.files), ElementsAre("/opt/pre", "/etc/kdump/post.d/50-x"));
  EXPECT_THAT(Places(plan->image.programs),
              IsSupersetOf({"/bin/sh", "/usr/bin/env", "/opt/python", "/opt/tool"}));
}

TEST_F(CapturePlanTest, HooksThatCannotRun) {
  EXPECT_THAT(Make("kdump_pre /opt/none\n").error().message(), HasSubstr("opt/none'"));
  Script("/opt/text", "echo\n");
  EXPECT_THAT(Make("kdump_pre /opt/text\n").error().message(),
              HasSubstr("no program and no script"));
  Script("/opt/a", "#!/opt/a\n");
  EXPECT_TRUE(Make("kdump_pre /opt/a\n").has_value());
  Script("/opt/b", "#!/opt/gone\n");
  EXPECT_THAT(Make("kdump_pre /opt/b\n").error().message(), HasSubstr("/opt/b: "));
}

TEST_F(CapturePlanTest, ShellAndRootAsLastResorts) {
  Program("/bin/sh");
  EXPECT_THAT(Places(Make("failure_action shell\n")->image.programs), Contains("/bin/sh"));
  Program("/bin/busybox");
  EXPECT_THAT(Places(Make("final_action shell\n")->image.programs), Contains("/bin/busybox"));
  machine_.Device("/sys/devices/x", "sr_mod");
  machine_.Block("/sys/devices/x/block/sr0", "11:0");
  system_.contents["sr0"] = {"xfs", "x"};
  EXPECT_THAT(Make("ext4 /dev/sr0\nfailure_action dump_to_rootfs\n")->image.optional_modules,
              IsSupersetOf({"sr_mod", "virtio_blk", "ext4"}));
}

TEST_F(CapturePlanTest, FenceAndCollector) {
  EXPECT_THAT(Make("fence_kdump_nodes 10.0.0.9\n").error().message(),
              HasSubstr("fence_kdump_nodes needs"));
  Program("/usr/sbin/fence_kdump_send");
  Program("/opt/collect");
  Result<CapturePlan> plan = Make("fence_kdump_nodes 10.0.0.9\ncore_collector /opt/collect -x\n");
  ASSERT_TRUE(plan.has_value()) << plan.error().message();
  EXPECT_THAT(Places(plan->image.programs),
              IsSupersetOf({"/usr/sbin/fence_kdump_send", "/opt/collect"}));
  EXPECT_THAT(Text(*plan, "/etc/kdumpkit/network"), HasSubstr("interface"));
}

// Builders.

TEST_F(CapturePlanTest, WhoBuildsTheImage) {
  PutOnLvm();
  EXPECT_THAT(Make("").error().message(), HasSubstr("it is on LVM, so that dracut or"));
  EXPECT_THAT(Make("image_builder kdumpkit\n").error().message(),
              HasSubstr("cannot serve /var/crash: it is on LVM"));
  system_.paths["mkinitramfs"] = "/x";
  EXPECT_EQ(Make("")->builder, ImageBuilder::kInitramfsTools);
  system_.paths["dracut"] = "/x";
  Result<CapturePlan> plan = Make("");
  EXPECT_EQ(plan->builder, ImageBuilder::kDracut);
  EXPECT_EQ(plan->builder_reason, "/var/crash: it is on LVM");
  EXPECT_THAT(plan->image.optional_modules, Contains("dm_mod"));
  EXPECT_THAT(Places(plan->image.programs), Contains("/usr/bin/kdump-capture"));
  EXPECT_EQ(Text(*plan, "/etc/kdumpkit/devices"), "/dev/disk/by-uuid/r00t\n");
  EXPECT_EQ(Text(*plan, "/etc/kdumpkit/device-timeout"), "60\n");
}

TEST_F(CapturePlanTest, CommandsOfBuilders) {
  system_.paths["dracut"] = "/x";
  Result<CapturePlan> plan = Make("image_builder dracut\ndracut_args --omit-drivers 'a b'\n");
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->builder_reason, "kdump.conf says so");
  std::vector<std::string> argv = BuilderCommand(*plan, "/out");
  std::string line = fmt::format("{}", fmt::join(argv, "|"));
  EXPECT_THAT(line, HasSubstr("|--add|kdumpkit|"));
  EXPECT_THAT(line, HasSubstr("|--add-device|/dev/vda1|"));
  EXPECT_THAT(line, testing::EndsWith("|--omit-drivers|a b|--kver|6.1.0-test|/out"));
  machine_.Write("/etc/crypttab", "");
  machine_.Write("/etc/dracut.conf.d/a.conf", "");
  EXPECT_THAT(BuilderFiles(*plan, machine_.root()),
              IsSupersetOf({"/etc/crypttab", "/etc/dracut.conf.d/a.conf"}));
}

}  // namespace
}  // namespace kdumpkit
