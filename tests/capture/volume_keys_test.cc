// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/volume_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/capture/fake_system.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char kRestore[] = "sys/kernel/config/crash_dm_crypt_keys/restore";

class OpenVolumesTest : public testing::Test {
 protected:
  OpenVolumesTest() { List("aa-01 root 8000 aes-xts-plain64 64 0 32768\n"); }
  void List(const std::string& text) { dir_.Write("etc/kdumpkit/volumes", text); }
  void HaveKeys() { dir_.Write(kRestore, "0"); }
  void AddDisk(const std::string& name, const std::string& uuid) {
    dir_.Write("sys/class/block/" + name + "/size", "2048\n");
    system_.devices[dir_.File("dev/" + name)] = {"crypto_LUKS", uuid, "", "", ""};
  }
  VolumesState Open(seconds limit = seconds(5)) { return OpenVolumes(root_, limit, system_, log_); }

  TempDir dir_;
  RootDir root_ = *RootDir::Open(dir_.path());
  FakeSystem system_;
  FakeConsole console_{dir_.File("console")};
  CaptureLog log_{console_.fd(), [this] { return system_.Uptime(); }};
};

TEST_F(OpenVolumesTest, OpensWithTheRestoredKey) {
  HaveKeys();
  AddDisk("vda", "bb-02");
  AddDisk("vdb", "aa-01");
  EXPECT_EQ(Open(), VolumesState::kDone);
  EXPECT_EQ(*root_.ReadText(std::string("/") + kRestore), "1");
  EXPECT_THAT(system_.calls,
              ElementsAre(fmt::format("map root 8000 crypt aes-xts-plain64 "
                                      ":64:user:kdump-cryptsetup:vk-aa-01 0 {} 32768",
                                      dir_.File("dev/vdb"))));
  EXPECT_TRUE(console_.Shows("LUKS volume aa-01 opened as 'root'"));
}
TEST_F(OpenVolumesTest, OptionsAreCounted) {
  HaveKeys();
  List("aa-01 root 8000 aes 32 0 16 sector_size:4096 allow_discards\n");
  AddDisk("vda", "aa-01");
  Open();
  EXPECT_THAT(system_.calls.at(0), HasSubstr(" 16 2 sector_size:4096 allow_discards"));
}
TEST_F(OpenVolumesTest, OpenVolumeIsLeftAlone) {
  HaveKeys();
  dir_.Write("dev/mapper/root", "");
  EXPECT_EQ(Open(), VolumesState::kDone);
  EXPECT_THAT(system_.calls, IsEmpty());
}
TEST_F(OpenVolumesTest, KeyOfTheKeyringServesWithoutHandedOnes) {
  AddDisk("vda", "aa-01");
  Open();
  EXPECT_TRUE(system_.Called("mount configfs " + dir_.File("sys/kernel/config") + " configfs"));
  EXPECT_TRUE(console_.Shows("the keys of LUKS volumes are not handed over: this kernel has no"));
  EXPECT_EQ(system_.CallsOf("map root").size(), 1u);
}
TEST_F(OpenVolumesTest, RefusalIsSaid) {
  HaveKeys();
  AddDisk("vda", "aa-01");
  system_.map_error = ENOKEY;
  EXPECT_EQ(Open(), VolumesState::kDone);
  EXPECT_TRUE(console_.Shows("LUKS volume aa-01 cannot be opened: cannot map"));
}
TEST_F(OpenVolumesTest, DeviceThatNeverComesEndsTheWait) {
  HaveKeys();
  EXPECT_EQ(Open(), VolumesState::kDone);
  EXPECT_TRUE(console_.Shows("aa-01 cannot be opened: destination 'UUID=aa-01' did not appear"));
  EXPECT_GE(system_.now, seconds(5));
}
TEST_F(OpenVolumesTest, AsksAgainWhereNobodyWaits) {
  HaveKeys();
  EXPECT_EQ(Open(seconds(0)), VolumesState::kWaiting);
  EXPECT_EQ(console_.text(), "");
  AddDisk("vda", "aa-01");
  EXPECT_EQ(Open(seconds(0)), VolumesState::kDone);
  EXPECT_EQ(system_.CallsOf("map root").size(), 1u);
}
TEST_F(OpenVolumesTest, BadLinesCostThemselves) {
  HaveKeys();
  AddDisk("vda", "aa-01");
  List("aa-01 root\naa-01 root many aes 64 0 16\n\naa-01 root 8 aes 64 0 16\n");
  Open();
  EXPECT_TRUE(console_.Shows("'aa-01 root' is no volume, ignoring"));
  EXPECT_TRUE(console_.Shows("'many' is no length, ignoring"));
  EXPECT_EQ(system_.CallsOf("map root").size(), 1u);
}
TEST_F(OpenVolumesTest, WithoutListNothingIsDone) {
  List("");
  EXPECT_EQ(Open(), VolumesState::kDone);
  EXPECT_EQ(console_.text(), "");
  EXPECT_THAT(system_.calls, IsEmpty());
}

}  // namespace
}  // namespace kdumpkit
