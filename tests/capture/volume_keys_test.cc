// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/volume_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "tests/capture/fake_system.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

// A machine whose cryptsetup is a script in PATH.
class OpenVolumesTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_.Write("etc/kdumpkit/volumes", "aa-01 root\n");
    SetCryptsetup("echo \"$*\" >" + dir_.File("called"));
    path_ = std::getenv("PATH");
    setenv("PATH", fmt::format("{}:{}", dir_.File("bin"), path_).c_str(), 1);
  }
  void TearDown() override { setenv("PATH", path_.c_str(), 1); }
  void SetCryptsetup(const std::string& body) {
    chmod(dir_.Write("bin/cryptsetup", "#!/bin/sh\n" + body + "\n").c_str(), 0755);
  }
  void HaveKeys() { dir_.Write("sys/kernel/config/crash_dm_crypt_keys/restore", "0"); }
  void Open() { OpenVolumes(root_, std::chrono::seconds(5), system_, log_); }

  TempDir dir_;
  RootDir root_ = *RootDir::Open(dir_.path());
  FakeSystem system_;
  FakeConsole console_{dir_.File("console")};
  CaptureLog log_{console_.fd(), [this] { return system_.Uptime(); }};
  std::string path_;
};

TEST_F(OpenVolumesTest, OpensWithTheRestoredKey) {
  HaveKeys();
  dir_.Write("dev/disk/by-uuid/aa-01", "");
  Open();
  EXPECT_EQ(*root_.ReadText("/sys/kernel/config/crash_dm_crypt_keys/restore"), "1");
  EXPECT_EQ(*root_.ReadText("/called"),
            "open --type luks --volume-key-keyring %user:kdump-cryptsetup:vk-aa-01 "
            "/dev/disk/by-uuid/aa-01 root\n");
  EXPECT_EQ(console_.text(), "kdump: LUKS volume aa-01 opened as root\n");
}
TEST_F(OpenVolumesTest, OpenVolumeIsLeftAlone) {
  HaveKeys();
  dir_.Write("dev/mapper/root", "");
  Open();
  EXPECT_FALSE(root_.Exists("/called"));
}
TEST_F(OpenVolumesTest, SaysThatKeysAreMissing) {
  dir_.Write("dev/disk/by-uuid/aa-01", "");
  SetCryptsetup("exit 1");
  Open();
  EXPECT_TRUE(system_.Called("mount configfs " + dir_.File("sys/kernel/config") + " configfs"));
  EXPECT_THAT(console_.text(), HasSubstr("the keys of LUKS volumes are not there: "));
  EXPECT_THAT(console_.text(), HasSubstr("aa-01 cannot be opened: 'cryptsetup open': exit "
                                         "status 1\n"));
}
TEST_F(OpenVolumesTest, DeviceThatNeverComesEndsTheWait) {
  HaveKeys();
  Open();
  EXPECT_THAT(console_.text(), HasSubstr("there is no '/dev/disk/by-uuid/aa-01' after 5 s"));
}
TEST_F(OpenVolumesTest, WithoutListNothingIsDone) {
  dir_.Write("etc/kdumpkit/volumes", "");
  Open();
  EXPECT_EQ(console_.text(), "");
  EXPECT_TRUE(system_.calls.empty());
}

}  // namespace
}  // namespace kdumpkit
