// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/kernel_modules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/initramfs/module_fixture.h"

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class KernelModulesTest : public testing::Test {
 protected:
  // Paths below "kernel/".
  std::vector<std::string> Closure(const std::vector<std::string>& names) {
    Result<std::vector<std::string>> files = tree_.Closure(names);
    EXPECT_TRUE(files);
    std::vector<std::string> shown;
    for (const std::string& file : files.value_or(std::vector<std::string>()))
      shown.push_back(file.substr(folder_.size() + sizeof("/kernel")));
    return shown;
  }
  TempDir dir_;
  std::string folder_ = MakeModuleTree(dir_);
  ModuleTree tree_ = *ModuleTree::Open(folder_);
};

TEST_F(KernelModulesTest, NeedsComeFirst) {
  EXPECT_THAT(Closure({"blk"}), ElementsAre("virtio/ring.ko", "block/blk.ko"));
}
TEST_F(KernelModulesTest, EachOnce) {
  EXPECT_THAT(Closure({"pci", "blk", "pci"}),
              ElementsAre("virtio/ring.ko", "virtio/pci.ko", "block/blk.ko"));
}
TEST_F(KernelModulesTest, ByAlias) {
  EXPECT_THAT(Closure({"virtio:d2"}), ElementsAre("virtio/ring.ko", "block/blk.ko"));
}
TEST_F(KernelModulesTest, SpellingDoesNotMatter) {
  EXPECT_THAT(Closure({"crc_fast"}), ElementsAre("crypto/crc-fast.ko"));
  EXPECT_THAT(Closure({"crc-slow"}), ElementsAre("crypto/crc_slow.ko"));
}
TEST_F(KernelModulesTest, SoftNeedsAroundTheModule) {
  std::vector<std::string> files = Closure({"fs"});
  ASSERT_EQ(files.size(), 6u);
  EXPECT_THAT(std::vector(files.begin(), files.begin() + 2),
              UnorderedElementsAre("crypto/crc-fast.ko", "crypto/crc_slow.ko"));
  EXPECT_THAT(std::vector(files.begin() + 2, files.begin() + 4),
              UnorderedElementsAre("fs/jbd.ko", "fs/cache.ko"));
  EXPECT_EQ(files[4], "fs/fs.ko");
  EXPECT_EQ(files[5], "misc/late.ko");
}
TEST_F(KernelModulesTest, UnknownSoftNeedIsNone) {
  EXPECT_THAT(Closure({"lonely"}), ElementsAre("misc/lonely.ko"));
}
TEST_F(KernelModulesTest, FirmwareOnce) {
  EXPECT_THAT(tree_.Firmware(*tree_.Closure({"pci", "blk"})), ElementsAre("blk/a.fw", "blk/b.fw"));
  EXPECT_THAT(tree_.Firmware(*tree_.Closure({"fs"})), IsEmpty());
  EXPECT_THAT(tree_.Firmware({"/nowhere.ko"}), IsEmpty());
}
TEST_F(KernelModulesTest, BuiltInHasNoFile) { EXPECT_THAT(Closure({"core"}), IsEmpty()); }
TEST_F(KernelModulesTest, UnknownNameIsAnError) {
  Result<std::vector<std::string>> files = tree_.Closure({"blk", "nope"});
  ASSERT_FALSE(files);
  EXPECT_THAT(files.error().message(), HasSubstr("no module 'nope' in '"));
  EXPECT_EQ(files.error().kind(), ErrorKind::kUsage);
}
TEST_F(KernelModulesTest, WithoutIndexesSaysWhatToDo) {
  std::filesystem::remove(folder_ + "/modules.dep.bin");
  EXPECT_THAT(ModuleTree::Open(folder_).error().message(), HasSubstr("depmod -b"));
}

TEST_F(KernelModulesTest, FolderOfARelease) {
  EXPECT_EQ(FindModuleFolder(dir_.path(), kTestRelease).value(), folder_);
}
TEST_F(KernelModulesTest, FolderOfTheOnlyRelease) {
  EXPECT_EQ(FindModuleFolder(dir_.path(), "").value(), folder_);
}
TEST_F(KernelModulesTest, FolderOfAnotherRelease) {
  EXPECT_THAT(FindModuleFolder(dir_.path(), "9.9").error().message(),
              HasSubstr("no modules of kernel '9.9'"));
}
TEST_F(KernelModulesTest, FolderIsNotGuessed) {
  std::filesystem::create_directories(dir_.File("lib/modules/9.9"));
  EXPECT_THAT(FindModuleFolder(dir_.path(), "").error().message(), HasSubstr("several kernels"));
}
TEST(FindModuleFolder, BelowUsr) {
  TempDir dir;
  std::filesystem::create_directories(dir.File("usr/lib/modules/9.9"));
  EXPECT_EQ(FindModuleFolder(dir.path(), "9.9").value(), dir.File("usr/lib/modules/9.9"));
}

}  // namespace
}  // namespace kdumpkit
