// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/newc.h"

#include <gtest/gtest.h>

namespace kdumpkit {
namespace {

ByteBuffer Bytes(std::string_view text) {
  ByteView view = AsBytes(text);
  return {view.begin(), view.end()};
}

TEST(Newc, GoldenBytes) {
  FileTree tree;
  ASSERT_TRUE(tree.AddFile("etc/text", Bytes("hello"), 0640));
  ASSERT_TRUE(tree.AddCharDevice("console", 0600, 5, 1));
  Result<ByteBuffer> archive = WriteNewc(tree);
  ASSERT_TRUE(archive);
  using namespace std::string_literals;
  std::string expected =
      // magic inode mode uid gid links mtime size dev dev rdev rdev namesize check name
      "070701"
      "00000001"
      "00002180"
      "00000000"
      "00000000"
      "00000001"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000005"
      "00000001"
      "00000008"
      "00000000"
      "console\0\0\0"
      "070701"
      "00000002"
      "000041ED"
      "00000000"
      "00000000"
      "00000002"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000004"
      "00000000"
      "etc\0\0\0"
      "070701"
      "00000003"
      "000081A0"
      "00000000"
      "00000000"
      "00000001"
      "00000000"
      "00000005"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000009"
      "00000000"
      "etc/text\0\0"
      "hello\0\0\0"
      "070701"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000001"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "00000000"
      "0000000B"
      "00000000"
      "TRAILER!!!\0\0\0\0"s;
  ASSERT_EQ(archive->size(), 512u);
  EXPECT_EQ(AsText(*archive).substr(0, expected.size()), expected);
  EXPECT_TRUE(IsZero(ByteView(*archive).subspan(expected.size())));
}

TEST(Newc, EmptyTreeIsATrailer) {
  Result<ByteBuffer> archive = WriteNewc(FileTree());
  ASSERT_TRUE(archive);
  EXPECT_EQ(archive->size(), 512u);
  EXPECT_NE(AsText(*archive).find("TRAILER!!!"), std::string_view::npos);
}

TEST(Newc, OrderOfAddingDoesNotShow) {
  FileTree one, other;
  ASSERT_TRUE(one.AddFile("a/x", Bytes("1"), 0644));
  ASSERT_TRUE(one.AddFile("b/y", Bytes("2"), 0644));
  ASSERT_TRUE(other.AddFile("b/y", Bytes("2"), 0644));
  ASSERT_TRUE(other.AddFile("a/x", Bytes("1"), 0644));
  EXPECT_EQ(WriteNewc(one).value(), WriteNewc(other).value());
}

}  // namespace
}  // namespace kdumpkit
