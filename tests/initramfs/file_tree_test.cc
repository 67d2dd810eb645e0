// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/file_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Paths(const FileTree& tree) {
  std::vector<std::string> paths;
  for (const auto& [path, entry] : tree.entries()) paths.push_back(path);
  return paths;
}

TEST(FileTree, AddsFoldersAbove) {
  FileTree tree;
  ASSERT_TRUE(tree.AddFile("usr/bin/a", {}, 0755));
  EXPECT_THAT(Paths(tree), ElementsAre("usr", "usr/bin", "usr/bin/a"));
}
TEST(FileTree, FoldersComeBeforeTheirContent) {
  FileTree tree;
  ASSERT_TRUE(tree.AddFile("lib/x/a.ko", {}, 0644));
  ASSERT_TRUE(tree.AddFile("lib-x/a", {}, 0644));
  ASSERT_TRUE(tree.AddFile("lib64/ld.so", {}, 0755));
  EXPECT_THAT(Paths(tree), ElementsAre("lib", "lib-x", "lib-x/a", "lib/x", "lib/x/a.ko", "lib64",
                                       "lib64/ld.so"));
}
TEST(FileTree, SlashesDoNotMatter) {
  FileTree tree;
  ASSERT_TRUE(tree.AddFile("//usr//a", {}, 0644));
  EXPECT_TRUE(tree.Has("usr/a"));
  EXPECT_TRUE(tree.Has("/usr/a/"));
  EXPECT_FALSE(tree.Has("usr/b"));
}
TEST(FileTree, SamePathTwiceIsAnError) {
  FileTree tree;
  ASSERT_TRUE(tree.AddFile("a", {}, 0644));
  EXPECT_THAT(tree.AddFile("/a", {}, 0644).error().message(), HasSubstr("two things for '/a'"));
}
TEST(FileTree, SameFolderTwiceIsFine) {
  FileTree tree;
  ASSERT_TRUE(tree.AddFolder("dev"));
  EXPECT_TRUE(tree.AddFolder("dev"));
}
TEST(FileTree, FileIsNoFolder) {
  FileTree tree;
  ASSERT_TRUE(tree.AddFile("a", {}, 0644));
  EXPECT_FALSE(tree.AddFile("a/b", {}, 0644));
}
TEST(FileTree, RefusesPathsWithoutMeaning) {
  FileTree tree;
  for (const char* path : {"", "/", "../a", "a/../b", "./a"})
    EXPECT_FALSE(tree.AddFile(path, {}, 0644)) << path;
  EXPECT_TRUE(tree.entries().empty());
}

}  // namespace
}  // namespace kdumpkit
