// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/mount.h"

#include <gmock/gmock.h>
#include <sys/mount.h>

#include <cerrno>

#include "tests/capture/capture_fixture.h"

namespace kdumpkit {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class MountTest : public CaptureFixture {
 protected:
  MountTest() {
    system_.devices[device_] = {"ext4", "aa-01", ""};
    dir_.Write("etc/hosts", "127.0.0.1 localhost\n10.0.0.7 files.example files # nfs\n");
  }
  Result<MountedFolder> Mount() { return MountDestination(destination_, context_); }
  void UseNfs() {
    destination_ = {.kind = Destination::Kind::kNfs, .source = "/export", .host = "files"};
  }

  std::string device_ = dir_.File("dev/vda");
  std::string mount_point_ = dir_.File("kdump");
  Destination destination_{.kind = Destination::Kind::kDevice, .source = "/dev/vda"};
};

TEST_F(MountTest, MountsDevice) {
  Result<MountedFolder> folder = Mount();
  ASSERT_TRUE(folder);
  EXPECT_TRUE(system_.Called(fmt::format("mount {} {} ext4", device_, mount_point_)));
  EXPECT_EQ(folder->name, "/dev/vda");
  EXPECT_EQ(folder->detail, "ext4, UUID=aa-01");
}
TEST_F(MountTest, OptionsAreTakenApart) {
  destination_.mount_options = "ro,noatime,sync,subvol=dumps,x-systemd.automount,nofail,discard";
  Result<MountedFolder> folder = Mount();
  EXPECT_EQ(folder->mount.options, "subvol=dumps,discard");
  EXPECT_NE(folder->mount.flags & MS_SYNCHRONOUS, 0u);
  EXPECT_EQ(folder->mount.flags & MS_RDONLY, 0u);
}
TEST_F(MountTest, FailedMountIsAnError) {
  system_.mount_errors["ext4"] = EIO;
  EXPECT_THAT(Mount().error().message(), HasSubstr("cannot mount"));
}
TEST_F(MountTest, UnknownTypeHintsAtTheModule) {
  system_.mount_errors["ext4"] = ENODEV;
  EXPECT_THAT(Mount().error().message(), HasSubstr("is the module of 'ext4' in the image?"));
}
TEST_F(MountTest, RefusesWhatIsNoMountPoint) {
  system_.mounts_nothing = true;
  EXPECT_THAT(Mount().error().message(), HasSubstr("is not a mount point"));
}

TEST_F(MountTest, NfsIsGivenTheServersAddress) {
  UseNfs();
  Result<MountedFolder> folder = Mount();
  ASSERT_TRUE(folder);
  EXPECT_TRUE(system_.Called(fmt::format("mount files:/export {} nfs", mount_point_)));
  EXPECT_THAT(system_.mount_options,
              ElementsAre("vers=4.2,addr=10.0.0.7,soft,timeo=100,retrans=3,nolock"));
  EXPECT_EQ(folder->name, "files:/export");
}
TEST_F(MountTest, NfsTriesOlderVersions) {
  UseNfs();
  for (const char* version : {"vers=4.2", "vers=4.1", "vers=4.0"})
    system_.options_errors[version] = EPROTONOSUPPORT;
  ASSERT_TRUE(Mount());
  EXPECT_THAT(system_.mount_options.back(), StartsWith("vers=3,"));
}
TEST_F(MountTest, NfsVersionOfTheUserIsTheOnlyOne) {
  UseNfs();
  destination_.mount_options = "vers=3,rsize=4096";
  system_.mount_errors["nfs"] = EPROTONOSUPPORT;
  EXPECT_FALSE(Mount());
  EXPECT_THAT(system_.mount_options, ElementsAre("addr=10.0.0.7,soft,timeo=100,retrans=3,nolock,"
                                                 "vers=3,rsize=4096"));
}
TEST_F(MountTest, NfsServerThatIsDownIsAskedUntilTheTimeIsOver) {
  UseNfs();
  config_.mount_timeout = std::chrono::seconds(20);
  system_.mount_errors["nfs"] = ECONNREFUSED;
  EXPECT_THAT(Mount().error().message(), HasSubstr("Connection refused"));
  EXPECT_GT(system_.mount_options.size(), 5u);
  EXPECT_LE(system_.now, std::chrono::seconds(20));
  EXPECT_THAT(system_.mount_options, Each(StartsWith("vers=4.2,")));
}
TEST_F(MountTest, NfsServerThatRefusesIsAskedOnce) {
  UseNfs();
  system_.mount_errors["nfs"] = EACCES;
  EXPECT_THAT(Mount().error().message(), HasSubstr("does the server export it"));
  EXPECT_EQ(system_.mount_options.size(), 4u);
}
TEST_F(MountTest, NfsServerMustHaveAnAddress) {
  UseNfs();
  destination_.host = "other";
  EXPECT_THAT(Mount().error().message(), HasSubstr("'other' is not in '/etc/hosts'"));
  destination_.host = "2001:db8::1";
  ASSERT_TRUE(Mount());
  EXPECT_TRUE(system_.Called(fmt::format("mount [2001:db8::1]:/export {} nfs", mount_point_)));
}
TEST_F(MountTest, Virtiofs) {
  destination_ = {.kind = Destination::Kind::kVirtiofs, .source = "host"};
  EXPECT_EQ(Mount()->name, "virtiofs:host");
  EXPECT_TRUE(system_.Called(fmt::format("mount host {} virtiofs", mount_point_)));
}

TEST_F(MountTest, UnmountWritesFirst) {
  Result<MountedFolder> folder = Mount();
  system_.calls.clear();
  EXPECT_TRUE(UnmountDestination(*folder, context_));
  EXPECT_THAT(system_.calls, ElementsAre("sync " + mount_point_, "unmount " + mount_point_));
}
TEST_F(MountTest, BusyMountIsMadeReadOnlyAndDetached) {
  Result<MountedFolder> folder = Mount();
  system_.calls.clear();
  system_.unmount_error = EBUSY;
  EXPECT_TRUE(UnmountDestination(*folder, context_));
  EXPECT_THAT(system_.calls, ElementsAre("sync " + mount_point_, "unmount " + mount_point_,
                                         fmt::format("mount {} {} ext4", device_, mount_point_),
                                         fmt::format("unmount {} lazily", mount_point_)));
}
TEST_F(MountTest, UnmountTellsWhenDataMayBeLost) {
  Result<MountedFolder> folder = Mount();
  system_.sync_error = EIO;
  EXPECT_FALSE(UnmountDestination(*folder, context_));
  EXPECT_TRUE(system_.Called("unmount " + mount_point_));
}

TEST_F(MountTest, KernelFileSystems) {
  MountKernelFileSystems(root_, system_, log_);
  EXPECT_THAT(system_.calls, ElementsAre("mount proc " + dir_.File("proc") + " proc",
                                         "mount sysfs " + dir_.File("sys") + " sysfs",
                                         "mount devtmpfs " + dir_.File("dev") + " devtmpfs"));
  EXPECT_TRUE(Exists("sys"));
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
