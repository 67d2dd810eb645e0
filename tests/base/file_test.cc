// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

TEST(File, ReadFullyAtNamesTheMissingOffset) {
  TempDir dir;
  UniqueFd fd = OpenFile(dir.Write("f", "0123456789"), O_RDONLY).value();
  ByteBuffer buffer(8);
  EXPECT_TRUE(ReadFullyAt(fd.get(), FileOffset(2), buffer));
  EXPECT_EQ(AsText(buffer), "23456789");
  Status status = ReadFullyAt(fd.get(), FileOffset(4), buffer);
  EXPECT_EQ(status.error().kind(), ErrorKind::kTruncated);
  EXPECT_EQ(status.error().message(),
            "the file ends at offset 0xa, 2 bytes at offset 0xa are missing");
}

TEST(File, ReadToEndIsBounded) {
  TempDir dir;
  std::string path = dir.Write("f", std::string(1000, 'x'));
  UniqueFd fd = OpenFile(path, O_RDONLY).value();
  EXPECT_EQ(ReadToEnd(fd.get(), 1000).value().size(), 1000u);
  fd = OpenFile(path, O_RDONLY).value();
  EXPECT_FALSE(ReadToEnd(fd.get(), 999));
}

TEST(File, WriteReportsFullDisk) {
  UniqueFd fd = OpenFile("/dev/full", O_WRONLY).value();
  EXPECT_EQ(WriteFully(fd.get(), AsBytes("x")).error().error_number(), ENOSPC);
}

TEST(RootDir, AbsolutePathsStayBelowTheRoot) {
  TempDir dir;
  dir.Write("proc/iomem", "hello \n\n");
  RootDir root = RootDir::Open(dir.path()).value();
  EXPECT_EQ(root.ReadLine("/proc/iomem"), "hello");
  EXPECT_TRUE(root.Exists("/proc/iomem"));
  EXPECT_FALSE(root.Exists("/proc/self"));
  Result<std::string> missing = root.ReadText("/proc/cmdline");
  EXPECT_EQ(missing.error().error_number(), ENOENT);
  EXPECT_EQ(missing.error().message(),
            fmt::format("cannot open '{}/proc/cmdline': No such file or directory", dir.path()));
}

TEST(RootDir, ListsNames) {
  TempDir dir;
  dir.Write("sys/cpu1/a", "");
  dir.Write("sys/cpu0/a", "");
  dir.Write("sys/online", "");
  RootDir root = RootDir::Open(dir.path()).value();
  EXPECT_EQ(root.List("/sys"), (std::vector<std::string>{"cpu0", "cpu1", "online"}));
  EXPECT_TRUE(root.List("/sys/online").empty());
  EXPECT_TRUE(root.List("/missing").empty());
}

}  // namespace
}  // namespace kdumpkit
