// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/mount.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>

#include "tests/capture/fake_system.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class MountTest : public testing::Test {
 protected:
  MountTest() {
    system_.devices[device_] = {"ext4", "aa-01", ""};
    config_.destination = "/dev/vda";
    config_.path = "/crash";
    dir_.Write("proc/vmcore", std::string(1 << 20, 'x'));
  }
  Result<Destination> Open() { return OpenDestination(config_, root_, system_, log_); }
  bool IsFolder(const std::string& path) {
    struct stat info = {};
    return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  }

  TempDir dir_;
  std::string device_ = dir_.File("dev/vda");
  std::string mount_point_ = dir_.File("kdump");
  RootDir root_ = *RootDir::Open(dir_.path());
  FakeSystem system_;
  FakeConsole console_{dir_.File("console")};
  CaptureLog log_{console_.fd(), [this] { return system_.Uptime(); }};
  CaptureConfig config_;
};

TEST_F(MountTest, MountsAndMakesFolder) {
  Result<Destination> destination = Open();
  ASSERT_TRUE(destination);
  EXPECT_TRUE(system_.Called(fmt::format("mount {} {} ext4", device_, mount_point_)));
  EXPECT_EQ(destination->folder, mount_point_ + "/crash/localhost-2023-11-14-22:13:20");
  EXPECT_TRUE(IsFolder(destination->folder));
}
TEST_F(MountTest, DescribesWhereThingsAre) {
  EXPECT_EQ(Open()->Describe("vmcore"), "/dev/vda:/crash/localhost-2023-11-14-22:13:20/vmcore");
}
TEST_F(MountTest, SaysDeviceTypeAndRoom) {
  EXPECT_TRUE(Open());
  EXPECT_EQ(console_.text(),
            "kdump: destination: /dev/vda (ext4, UUID=aa-01) mounted, 100.0 GiB free; memory: "
            "1.0 MiB\n");
}
TEST_F(MountTest, HostIsInTheName) {
  config_.host = "db1";
  EXPECT_THAT(Open()->folder, HasSubstr("/crash/db1-2023-"));
}
TEST_F(MountTest, PathMayBeTheRoot) {
  config_.path = "/";
  EXPECT_EQ(Open()->Describe("vmcore"), "/dev/vda:/localhost-2023-11-14-22:13:20/vmcore");
}
TEST_F(MountTest, SecondDumpInTheSameSecondHasAFolderOfItsOwn) {
  EXPECT_TRUE(Open());
  EXPECT_THAT(Open()->folder, HasSubstr(":20-2"));
  EXPECT_THAT(Open()->folder, HasSubstr(":20-3"));
}
TEST_F(MountTest, WithoutDestinationIsAnError) {
  config_.destination.clear();
  EXPECT_THAT(Open().error().message(), HasSubstr("kdump.dest="));
  EXPECT_TRUE(system_.calls.empty());
}
TEST_F(MountTest, FailedMountIsAnError) {
  system_.mount_errors["ext4"] = EIO;
  EXPECT_THAT(Open().error().message(), HasSubstr("cannot mount"));
}
TEST_F(MountTest, UnknownTypeHintsAtTheModule) {
  system_.mount_errors["ext4"] = ENODEV;
  EXPECT_THAT(Open().error().message(), HasSubstr("is the module of 'ext4' in the image?"));
}
TEST_F(MountTest, RefusesWhatIsNoMountPoint) {
  system_.mounts_nothing = true;
  Result<Destination> destination = Open();
  ASSERT_FALSE(destination);
  EXPECT_THAT(destination.error().message(), HasSubstr("is not a mount point"));
  EXPECT_FALSE(IsFolder(mount_point_ + "/crash"));
}
TEST_F(MountTest, LittleRoomIsAWarningOnly) {
  system_.free_bytes = 1 << 20;
  EXPECT_TRUE(Open());
  EXPECT_THAT(console_.text(),
              HasSubstr("warning: 1.0 MiB free, a dump at level 31 may need 64.1"));
}
TEST_F(MountTest, FolderThatCannotBeMadeUnmounts) {
  dir_.Write("kdump/crash", "a file where the folder would be");
  EXPECT_FALSE(Open());
  EXPECT_TRUE(system_.Called("unmount " + mount_point_));
}

TEST(EstimateRoom, DependsOnFreePages) {
  constexpr uint64_t kGiB = uint64_t{1} << 30;
  constexpr uint64_t kMinimum = uint64_t{64} << 20;
  EXPECT_EQ(EstimateRoom(100 * kGiB, 31), kMinimum + 10 * kGiB);
  EXPECT_EQ(EstimateRoom(100 * kGiB, 16), kMinimum + 10 * kGiB);
  EXPECT_EQ(EstimateRoom(100 * kGiB, 15), kMinimum + 50 * kGiB);
  EXPECT_EQ(EstimateRoom(0, 0), kMinimum);
}

TEST_F(MountTest, CloseWritesThenUnmounts) {
  Result<Destination> destination = Open();
  system_.calls.clear();
  EXPECT_TRUE(CloseDestination(*destination, system_, log_));
  EXPECT_THAT(system_.calls, ElementsAre("sync " + mount_point_, "unmount " + mount_point_));
}
TEST_F(MountTest, CloseOfABusyMountMakesItReadOnlyAndDetaches) {
  Result<Destination> destination = Open();
  system_.calls.clear();
  system_.unmount_error = EBUSY;
  EXPECT_TRUE(CloseDestination(*destination, system_, log_));
  EXPECT_THAT(system_.calls, ElementsAre("sync " + mount_point_, "unmount " + mount_point_,
                                         fmt::format("mount /dev/vda {} ext4", mount_point_),
                                         fmt::format("unmount {} lazily", mount_point_)));
}
TEST_F(MountTest, CloseTellsWhenDataMayBeLost) {
  Result<Destination> destination = Open();
  system_.sync_error = EIO;
  EXPECT_FALSE(CloseDestination(*destination, system_, log_));
  EXPECT_TRUE(system_.Called("unmount " + mount_point_));
}

TEST_F(MountTest, KernelFileSystems) {
  MountKernelFileSystems(root_, system_, log_);
  EXPECT_THAT(system_.calls, ElementsAre("mount proc " + dir_.File("proc") + " proc",
                                         "mount sysfs " + dir_.File("sys") + " sysfs",
                                         "mount devtmpfs " + dir_.File("dev") + " devtmpfs"));
  EXPECT_TRUE(IsFolder(dir_.File("sys")));
}
TEST_F(MountTest, KernelFileSystemThatIsThereIsFine) {
  system_.mount_errors["devtmpfs"] = EBUSY;
  MountKernelFileSystems(root_, system_, log_);
  EXPECT_EQ(console_.text(), "");
}
TEST_F(MountTest, KernelFileSystemThatFailsIsSaid) {
  system_.mount_errors["sysfs"] = EPERM;
  MountKernelFileSystems(root_, system_, log_);
  EXPECT_THAT(console_.text(),
              HasSubstr("cannot mount 'sysfs': Operation not permitted, ignoring"));
}

}  // namespace
}  // namespace kdumpkit
