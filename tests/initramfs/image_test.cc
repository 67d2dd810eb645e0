// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "initramfs/newc.h"
#include "tests/initramfs/module_fixture.h"
#include "tests/support/elf_file_builder.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

std::string Content(const FileTree& tree, const std::string& path) {
  auto entry = tree.entries().find(path);
  if (entry == tree.entries().end()) return "(absent)";
  return std::string(AsText(entry->second.data));
}

unsigned Mode(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

class ImageTest : public testing::Test {
 protected:
  ImageContent Collect() {
    Result<ImageContent> content = CollectImage(plan_);
    EXPECT_TRUE(content);
    return std::move(content).value_or(ImageContent());
  }
  TempDir dir_;
  ImagePlan plan_;
};

TEST_F(ImageTest, HasWhatTheKernelNeedsFirst) {
  ImageContent content = Collect();
  const TreeEntry& console = content.tree.entries().at("dev/console");
  EXPECT_EQ(console.kind, TreeEntry::Kind::kCharDevice);
  EXPECT_EQ(console.major, 5u);
  EXPECT_EQ(console.minor, 1u);
  for (const char* folder : {"dev", "proc", "run", "sys", "tmp"})
    EXPECT_TRUE(content.tree.Has(folder)) << folder;
}
TEST_F(ImageTest, ProgramsAreExecutable) {
  plan_.programs = {{dir_.Write("p", BuildLibrary({})), "/init"}};
  EXPECT_EQ(Collect().tree.entries().at("init").permissions, 0755u);
}
TEST_F(ImageTest, FilesKeepTheirPermissions) {
  std::string key = dir_.Write("key", "secret");
  ASSERT_EQ(chmod(key.c_str(), 0600), 0);
  plan_.files = {{key, "/etc/key"}};
  ImageContent content = Collect();
  EXPECT_EQ(Content(content.tree, "etc/key"), "secret");
  EXPECT_EQ(content.tree.entries().at("etc/key").permissions, 0600u);
}
TEST_F(ImageTest, ModulesAndTheirList) {
  plan_.module_folder = MakeModuleTree(dir_);
  plan_.modules = {"blk"};
  ImageContent content = Collect();
  EXPECT_EQ(content.modules, 2u);
  EXPECT_EQ(Content(content.tree, "etc/kdumpkit/modules"),
            "/lib/modules/1.2.3-test/kernel/virtio/ring.ko\n"
            "/lib/modules/1.2.3-test/kernel/block/blk.ko\n");
  EXPECT_EQ(Content(content.tree, "lib/modules/1.2.3-test/kernel/virtio/ring.ko"),
            BuildModule({.exports = {"ring_new"}}));
}
TEST_F(ImageTest, FirmwareThatModulesAskFor) {
  plan_.module_folder = MakeModuleTree(dir_);
  plan_.modules = {"blk"};
  dir_.Write("fw/blk/a.fw.xz", "packed");
  dir_.Write("fw/blk/other.fw", "");
  ImageContent none = Collect();
  EXPECT_FALSE(none.tree.entries().contains("lib/firmware/blk/a.fw.xz"));
  plan_.firmware_folder = dir_.File("fw");
  ImageContent content = Collect();
  EXPECT_EQ(Content(content.tree, "lib/firmware/blk/a.fw.xz"), "packed");
  EXPECT_FALSE(content.tree.entries().contains("lib/firmware/blk/other.fw"));
  // One of the release comes first, and a plain one before a packed one.
  dir_.Write("fw/blk/b.fw", "plain");
  dir_.Write("fw/blk/b.fw.zst", "packed");
  dir_.Write("fw/1.2.3-test/blk/a.fw", "of the release");
  ImageContent both = Collect();
  EXPECT_EQ(Content(both.tree, "lib/firmware/1.2.3-test/blk/a.fw"), "of the release");
  EXPECT_FALSE(both.tree.entries().contains("lib/firmware/blk/a.fw.xz"));
  EXPECT_EQ(Content(both.tree, "lib/firmware/blk/b.fw"), "plain");
  EXPECT_FALSE(both.tree.entries().contains("lib/firmware/blk/b.fw.zst"));
}
TEST_F(ImageTest, MissingFileIsAnError) {
  plan_.files = {{dir_.File("none"), "/etc/none"}};
  EXPECT_THAT(CollectImage(plan_).error().message(), HasSubstr(dir_.File("none")));
}
TEST_F(ImageTest, TwoThingsForOnePlaceAreAnError) {
  std::string file = dir_.Write("a", "");
  plan_.files = {{file, "/a"}, {file, "a"}};
  EXPECT_THAT(CollectImage(plan_).error().message(), HasSubstr("two things for '/a'"));
}

TEST_F(ImageTest, ZstdOnlyForAKernelThatSaysSo) {
  EXPECT_EQ(ChooseCompression(dir_.path(), dir_.File("lib/modules/R")), ImageCompression::kGzip);
  dir_.Write("boot/config-R", "CONFIG_RD_GZIP=y\n# CONFIG_RD_ZSTD is not set\n");
  EXPECT_EQ(ChooseCompression(dir_.path(), dir_.File("lib/modules/R")), ImageCompression::kGzip);
  dir_.Write("boot/config-R", "CONFIG_RD_GZIP=y\nCONFIG_RD_ZSTD=y\n");
  EXPECT_EQ(ChooseCompression(dir_.path(), dir_.File("lib/modules/R")), ImageCompression::kZstd);
}
TEST_F(ImageTest, ZstdByTheConfigBesideTheModules) {
  dir_.Write("lib/modules/R/config", "#\nCONFIG_RD_ZSTD=y\n");
  EXPECT_EQ(ChooseCompression(dir_.path(), dir_.File("lib/modules/R")), ImageCompression::kZstd);
}

TEST_F(ImageTest, WrittenFileIsPrivate) {
  std::string path = dir_.File("image");
  ASSERT_TRUE(WriteImage(path, AsBytes("data")));
  EXPECT_EQ(Mode(path), 0600u);
  EXPECT_FALSE(std::filesystem::exists(path + "-incomplete"));
}
TEST_F(ImageTest, WrittenFileReplacesTheOldOne) {
  std::string path = dir_.Write("image", "a longer old image");
  ASSERT_TRUE(WriteImage(path, AsBytes("new")));
  EXPECT_EQ(std::filesystem::file_size(path), 3u);
  EXPECT_EQ(Mode(path), 0600u);
}
TEST_F(ImageTest, LinkInPlaceOfTheIncompleteFileIsNotFollowed) {
  std::string victim = dir_.Write("victim", "precious");
  std::filesystem::create_symlink(victim, dir_.File("image-incomplete"));
  EXPECT_FALSE(WriteImage(dir_.File("image"), AsBytes("data")));
  EXPECT_EQ(std::filesystem::file_size(victim), 8u);
}
TEST_F(ImageTest, FailedWriteLeavesTheOldImage) {
  std::string path = dir_.Write("image", "old");
  std::filesystem::create_directories(dir_.File("image-incomplete/x"));
  EXPECT_FALSE(WriteImage(path, AsBytes("new")));
  EXPECT_EQ(std::filesystem::file_size(path), 3u);
}

}  // namespace
}  // namespace kdumpkit
