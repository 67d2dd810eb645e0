// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/unpack_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/file.h"
#include "initramfs/codec.h"
#include "initramfs/newc.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

// What WriteNewc does not make: links, and other kinds.
void PutEntry(ByteWriter& out, uint32_t inode, uint32_t mode, uint32_t links,
              const std::string& name, const std::string& data) {
  std::string header = "070701";
  for (uint32_t field : {inode, mode, 0u, 0u, links, 0u, static_cast<uint32_t>(data.size()), 0u, 0u,
                         0u, 0u, static_cast<uint32_t>(name.size() + 1), 0u})
    header += fmt::format("{:08X}", field);
  out.PutBytes(AsBytes(header + name + '\0'));
  out.PadTo((out.size() + 3) / 4 * 4);
  out.PutBytes(AsBytes(data));
  out.PadTo((out.size() + 3) / 4 * 4);
}

class UnpackImageTest : public testing::Test {
 protected:
  static ByteBuffer Archive(const std::string& name, const std::string& content) {
    FileTree tree;
    EXPECT_TRUE(
        tree.AddFile(name, ByteBuffer(AsBytes(content).begin(), AsBytes(content).end()), 0640));
    return *WriteNewc(tree);
  }
  Result<UnpackedImage> Unpack(ByteView image) { return UnpackImage(image, dir_.path()); }
  std::string Content(const std::string& name) {
    Result<RootDir> root = RootDir::Open(dir_.path());
    return root->ReadText("/" + name).value_or("(none)");
  }

  TempDir dir_;
};

TEST_F(UnpackImageTest, AsWritten) {
  for (ImageCompression compression :
       {ImageCompression::kNone, ImageCompression::kGzip, ImageCompression::kZstd}) {
    TempDir dir;
    Result<UnpackedImage> done =
        UnpackImage(*CompressImage(Archive("a/b", "text"), compression), dir.path());
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(done->files, 1u);
    EXPECT_EQ(done->bytes, 4u);
    struct stat info = {};
    ASSERT_EQ(stat(dir.File("a/b").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0640u);
  }
}

TEST_F(UnpackImageTest, MicrocodeBeforeTheRest) {
  ByteBuffer image = Archive("early", "1");
  ByteBuffer packed = *CompressImage(Archive("main", "2"), ImageCompression::kGzip);
  image.resize(image.size() + 512);
  image.insert(image.end(), packed.begin(), packed.end());
  ASSERT_TRUE(Unpack(image));
  EXPECT_EQ(Content("early"), "1");
  EXPECT_EQ(Content("main"), "2");
}

TEST_F(UnpackImageTest, LinksAndNodes) {
  ByteWriter out(kHostOrder);
  PutEntry(out, 1, S_IFDIR | 0755, 2, "usr", "");
  PutEntry(out, 2, S_IFLNK | 0777, 1, "bin", "usr");
  PutEntry(out, 3, S_IFREG | 0755, 2, "usr/one", "");
  PutEntry(out, 3, S_IFREG | 0755, 2, "bin/two", "both");
  PutEntry(out, 4, S_IFCHR | 0600, 1, "console", "");
  PutEntry(out, 0, 0, 1, "TRAILER!!!", "");
  Result<UnpackedImage> done = Unpack(std::move(out).Take());
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(Content("usr/one"), "both");
  EXPECT_EQ(Content("usr/two"), "both");
  EXPECT_FALSE(std::filesystem::exists(dir_.File("console")));
}

TEST_F(UnpackImageTest, NothingIsWrittenOutside) {
  ByteWriter out(kHostOrder);
  PutEntry(out, 1, S_IFREG | 0644, 1, "a/../../b", "x");
  PutEntry(out, 0, 0, 1, "TRAILER!!!", "");
  Result<UnpackedImage> done = Unpack(std::move(out).Take());
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message(), HasSubstr("'a/../../b'"));
}

TEST_F(UnpackImageTest, WhatIsNoImage) {
  EXPECT_FALSE(Unpack({}));
  EXPECT_FALSE(Unpack(AsBytes("BZh91AY")));
  ByteBuffer image = Archive("a", "text");
  // Every prefix, and every field of the first header damaged.
  size_t end = image.size() - 512;
  for (size_t size = 1; size < end; ++size) (void)Unpack(ByteView(image).first(size));
  for (size_t at = 0; at < 110; ++at) {
    ByteBuffer damaged = image;
    damaged[at] = std::byte{'~'};
    EXPECT_FALSE(Unpack(damaged)) << at;
  }
}

}  // namespace
}  // namespace kdumpkit
