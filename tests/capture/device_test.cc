// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/capture/fake_system.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

class DeviceTest : public testing::Test {
 protected:
  void AddDisk(const std::string& name, const FileSystemId& id, const char* size = "2048\n") {
    dir_.Write("sys/class/block/" + name + "/size", size);
    system_.devices[dir_.File("dev/" + name)] = id;
  }
  Result<Device> Wait(std::string destination) {
    destination_.source = std::move(destination);
    return WaitForDevice(destination_, timeout_, root_, system_, log_);
  }

  TempDir dir_;
  RootDir root_ = *RootDir::Open(dir_.path());
  FakeSystem system_;
  FakeConsole console_{dir_.File("console")};
  CaptureLog log_{console_.fd(), [this] { return system_.Uptime(); }};
  Destination destination_{.kind = Destination::Kind::kDevice};
  seconds timeout_{60};
};

TEST_F(DeviceTest, ListsDevicesSorted) {
  AddDisk("vdb", {});
  AddDisk("vda", {});
  EXPECT_THAT(ListBlockDevices(root_), ElementsAre("/dev/vda", "/dev/vdb"));
}
TEST_F(DeviceTest, ListLeavesOutEmptyDrives) {
  AddDisk("sr0", {}, "0\n");
  EXPECT_TRUE(ListBlockDevices(root_).empty());
}
TEST_F(DeviceTest, ListLeavesOutParts) {
  AddDisk("sda", {"linux_raid_member", "", ""});
  dir_.Write("sys/class/block/sda/holders/md0", "");
  AddDisk("md0", {});
  EXPECT_THAT(ListBlockDevices(root_), ElementsAre("/dev/md0"));
}
TEST_F(DeviceTest, ListTranslatesSlashes) {
  AddDisk("cciss!c0d0", {});
  EXPECT_THAT(ListBlockDevices(root_), ElementsAre("/dev/cciss/c0d0"));
}
TEST_F(DeviceTest, ListWithoutSysfsIsEmpty) { EXPECT_TRUE(ListBlockDevices(root_).empty()); }

TEST_F(DeviceTest, FindsUuid) {
  AddDisk("vda", {"ext4", "aa-01", "one"});
  AddDisk("vdb", {"xfs", "bb-02", "two"});
  Result<Device> device = Wait("UUID=bb-02");
  ASSERT_TRUE(device);
  EXPECT_EQ(device->path, "/dev/vdb");
  EXPECT_EQ(device->id.type, "xfs");
}
TEST_F(DeviceTest, UuidInOtherCase) {
  AddDisk("vda", {"vfat", "AB-CD", ""});
  EXPECT_TRUE(Wait("UUID=ab-cd"));
}
TEST_F(DeviceTest, FindsLabel) {
  AddDisk("vda", {"ext4", "aa-01", "one"});
  AddDisk("vdb", {"xfs", "bb-02", "two"});
  EXPECT_EQ(Wait("LABEL=two")->path, "/dev/vdb");
}
TEST_F(DeviceTest, FindsDeviceByPathWithoutSysfs) {
  system_.devices[dir_.File("dev/vda")] = {"ext4", "", ""};
  EXPECT_EQ(Wait("/dev/vda")->id.type, "ext4");
}
TEST_F(DeviceTest, GivenTypeWins) {
  AddDisk("vda", {"ext3", "", ""});
  destination_.fs_type = "ext4";
  EXPECT_EQ(Wait("/dev/vda")->id.type, "ext4");
}
TEST_F(DeviceTest, GivenTypeStandsForUnknownContent) {
  AddDisk("vda", {});
  destination_.fs_type = "newfs";
  EXPECT_EQ(Wait("/dev/vda")->id.type, "newfs");
}

TEST_F(DeviceTest, FindsPartition) {
  AddDisk("vda1", {"", "", "", "aa-01", "one"});
  AddDisk("vda2", {"", "", "", "bb-02", "two"});
  destination_.kind = Destination::Kind::kRaw;
  EXPECT_EQ(Wait("PARTUUID=BB-02")->path, "/dev/vda2");
  EXPECT_EQ(Wait("PARTLABEL=one")->path, "/dev/vda1");
}
TEST_F(DeviceTest, RawDeviceNeedsNoFileSystem) {
  AddDisk("vda", {});
  timeout_ = seconds(0);
  EXPECT_FALSE(Wait("/dev/vda"));
  destination_.kind = Destination::Kind::kRaw;
  EXPECT_TRUE(Wait("/dev/vda"));
}
TEST_F(DeviceTest, PartitionWithoutFileSystemCannotBeMounted) {
  AddDisk("vda1", {"", "", "", "aa-01", "one"});
  timeout_ = seconds(0);
  EXPECT_THAT(Wait("/dev/vda1").error().message(), HasSubstr("has no known file system"));
}

TEST_F(DeviceTest, WaitsForSlowDisk) {
  AddDisk("vda", {"ext4", "aa", ""});
  system_.appears_at[dir_.File("dev/vda")] = seconds(12);
  EXPECT_TRUE(Wait("UUID=aa"));
  EXPECT_EQ(system_.now, seconds(12));
}
TEST_F(DeviceTest, SaysWhatItWaitsForEveryFiveSeconds) {
  AddDisk("vda", {"ext4", "aa", ""});
  system_.appears_at[dir_.File("dev/vda")] = seconds(12);
  EXPECT_TRUE(Wait("UUID=aa"));
  EXPECT_EQ(console_.text(),
            "kdump: waiting for destination 'UUID=aa' (0 of 60 s); block devices: /dev/vda\n"
            "kdump: waiting for destination 'UUID=aa' (5 of 60 s); block devices: /dev/vda\n"
            "kdump: waiting for destination 'UUID=aa' (10 of 60 s); block devices: /dev/vda\n");
}
TEST_F(DeviceTest, NoDisksAtAllHintsAtModules) {
  timeout_ = seconds(1);
  EXPECT_FALSE(Wait("UUID=aa"));
  EXPECT_THAT(console_.text(), HasSubstr("block devices: none (are the modules"));
}
TEST_F(DeviceTest, GivesUpInTime) {
  AddDisk("vda", {"ext4", "aa", ""});
  timeout_ = seconds(7);
  Result<Device> device = Wait("UUID=bb");
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().message(),
            "destination 'UUID=bb' did not appear within 7 s: no block device has it");
  EXPECT_EQ(system_.now, seconds(7));
}
TEST_F(DeviceTest, TimeoutZeroLooksOnce) {
  AddDisk("vda", {"ext4", "aa", ""});
  timeout_ = seconds(0);
  EXPECT_TRUE(Wait("UUID=aa"));
  EXPECT_FALSE(Wait("UUID=bb"));
  EXPECT_EQ(system_.now, seconds(0));
}

}  // namespace
}  // namespace kdumpkit
