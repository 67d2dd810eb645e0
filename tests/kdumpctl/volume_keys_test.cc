// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/volume_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/kdumpctl/live_fixture.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char kUuid[] = "01234567-89ab-cdef-0123-456789abcdef";
constexpr const char kKeys[] = "sys/kernel/config/crash_dm_crypt_keys";

class VolumeKeysTest : public testing::Test {
 protected:
  void MakeKernelAble() { std::filesystem::create_directories(dir_.File(kKeys)); }
  std::string Description() {
    std::ifstream file(dir_.File(fmt::format("{}/{}/description", kKeys, kUuid)));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string Offer() { return OfferVolumeKeys({volume_}, root_, system_); }

  TempDir dir_;
  RootDir root_ = *RootDir::Open(dir_.path());
  FakeLiveSystem system_;
  LuksVolume volume_{kUuid, "root", "", ""};
};

TEST_F(VolumeKeysTest, NoVolumeNeedsNothing) { EXPECT_EQ(OfferVolumeKeys({}, root_, system_), ""); }
TEST_F(VolumeKeysTest, OldKernelIsTold) { EXPECT_THAT(Offer(), HasSubstr("Linux 6.17")); }
TEST_F(VolumeKeysTest, NamesTheKeyToTheKernel) {
  MakeKernelAble();
  system_.keys = {VolumeKeyName(volume_)};
  EXPECT_EQ(Offer(), "");
  EXPECT_EQ(Description(), "kdump-cryptsetup:vk-01234567-89ab-cdef-0123-456789abcdef");
  EXPECT_TRUE(system_.runs.empty());
}
TEST_F(VolumeKeysTest, FetchesTheKeyByAToken) {
  MakeKernelAble();
  system_.programs["cryptsetup"] = [this](const std::vector<std::string>&) {
    system_.keys.insert(VolumeKeyName(volume_));
    return ProgramResult();
  };
  EXPECT_EQ(Offer(), "");
  EXPECT_FALSE(Description().empty());
}
TEST_F(VolumeKeysTest, KeyThatIsNowhereLeavesNothingBehind) {
  MakeKernelAble();
  EXPECT_THAT(Offer(), HasSubstr("link-volume-key=@u::%logon:kdump-cryptsetup:vk-01234567"));
  EXPECT_FALSE(root_.Exists(fmt::format("/{}/{}", kKeys, kUuid)));
}
TEST_F(VolumeKeysTest, KeysOfTheLoadedImageServeAgain) {
  MakeKernelAble();
  dir_.Write(fmt::format("{}/reuse", kKeys), "0");
  dir_.Write(fmt::format("{}/{}/description", kKeys, kUuid), "x");
  EXPECT_EQ(Offer(), "");
  EXPECT_EQ(*root_.ReadText(fmt::format("/{}/reuse", kKeys)), "1");
}
// They are younger than those that the kernel has.
TEST_F(VolumeKeysTest, KeysOfTheKeyringComeFirst) {
  MakeKernelAble();
  dir_.Write(fmt::format("{}/reuse", kKeys), "1");
  dir_.Write(fmt::format("{}/{}/description", kKeys, kUuid), "");
  system_.keys = {VolumeKeyName(volume_)};
  EXPECT_EQ(Offer(), "");
  EXPECT_EQ(*root_.ReadText(fmt::format("/{}/reuse", kKeys)), "0");
  EXPECT_EQ(Description(), VolumeKeyName(volume_));
}
TEST_F(VolumeKeysTest, ModulesOfTheCipher) {
  dir_.Write("proc/crypto",
             "name         : xts(aes)\ndriver       : xts-aes-aesni\nmodule       : aesni_intel\n\n"
             "name         : sha1\nmodule       : sha1_ssse3\n\n"
             "name         : ecb(aes)\nmodule       : ecb\n\n"
             "name         : aes\nmodule       : kernel\n");
  volume_.cipher = "aes-xts-plain64";
  EXPECT_THAT(VolumeModules(volume_, root_), ElementsAre("aesni_intel", "ecb", "dm_crypt"));
}
TEST_F(VolumeKeysTest, FolderOfAnotherVolumeGoes) {
  MakeKernelAble();
  dir_.Write(fmt::format("{}/other/description", kKeys), "x");
  system_.keys = {VolumeKeyName(volume_)};
  EXPECT_EQ(Offer(), "");
  EXPECT_THAT(root_.List(fmt::format("/{}", kKeys)), ElementsAre(kUuid));
}

// A file system on LVM on LUKS on a partition.
TEST_F(VolumeKeysTest, FindsVolumesBelowOthers) {
  dir_.Write("sys/block/dm-1/dm/uuid", "LVM-abc\n");
  dir_.Write("sys/block/dm-0/dm/uuid", "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-my-root\n");
  dir_.Write("sys/block/dm-0/dm/name", "my-root\n");
  std::filesystem::create_directories(dir_.File("sys/block/dm-1/slaves"));
  std::filesystem::create_symlink("../../dm-0", dir_.File("sys/block/dm-1/slaves/dm-0"));
  std::vector<LuksVolume> volumes = LuksVolumesBelow(root_, {"/sys/block/dm-1", "/dev/dm-1"});
  ASSERT_EQ(volumes.size(), 1u);
  EXPECT_EQ(volumes[0].uuid, kUuid);
  EXPECT_EQ(VolumeLine(volumes[0]), fmt::format("{} my-root \n", kUuid));
}
TEST_F(VolumeKeysTest, OtherMappingsAreNoVolumes) {
  for (const char* uuid : {"LVM-abc", "CRYPT-PLAIN-name", "CRYPT-LUKS2-0123-name", "CRYPT-LUKS2"}) {
    dir_.Write("sys/block/dm-0/dm/uuid", uuid);
    EXPECT_TRUE(LuksVolumesBelow(root_, {"/sys/block/dm-0", "/dev/dm-0"}).empty()) << uuid;
  }
}

}  // namespace
}  // namespace kdumpkit
