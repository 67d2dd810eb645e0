// SPDX-License-Identifier: GPL-2.0-or-later
#include "elf/file_window.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/vmcore_builder.h"

namespace kdumpkit {
namespace {

constexpr size_t kSize = (size_t{3} << 20) + 100;

class FileWindowTest : public testing::TestWithParam<WindowMode> {
 protected:
  FileWindowTest()
      : data_(PatternBytes(kSize, 7)),
        path_(dir_.Write("file", AsText(data_))),
        fd_(*OpenFile(path_, O_RDWR)) {}

  FileWindow Window() { return FileWindow(fd_.get(), kSize, GetParam(), path_); }
  void ExpectBytes(FileWindow& window, uint64_t offset, size_t size) {
    Result<ByteView> view = window.Get(FileOffset(offset), size);
    ASSERT_TRUE(view) << view.error().message();
    ASSERT_EQ(view->size(), size);
    EXPECT_TRUE(std::equal(view->begin(), view->end(), data_.begin() + ptrdiff_t(offset)));
  }

  TempDir dir_;
  ByteBuffer data_;
  std::string path_;
  UniqueFd fd_;
};

INSTANTIATE_TEST_SUITE_P(Modes, FileWindowTest,
                         testing::Values(WindowMode::kRead, WindowMode::kMap));

TEST_P(FileWindowTest, ForwardInSmallAndLargeSteps) {
  for (size_t step : {4096u, 5000u, 65536u, 1000000u}) {
    FileWindow window = Window();
    for (size_t at = 0; at < kSize; at += step) ExpectBytes(window, at, std::min(step, kSize - at));
  }
}

TEST_P(FileWindowTest, BackwardAndFarJumps) {
  FileWindow window = Window();
  for (size_t at : {kSize - 1, size_t{2} << 20, size_t{12345}, size_t{0}, kSize - 4096, size_t{1}})
    ExpectBytes(window, at, 1);
}

TEST_P(FileWindowTest, MoreThanAWindow) {
  FileWindow window = Window();
  ExpectBytes(window, 0, kSize);
  ExpectBytes(window, 100, kSize - 200);
}

TEST_P(FileWindowTest, RequestsThatFollowEachOtherShareAWindow) {
  FileWindow window = Window();
  const std::byte* first = window.Get(FileOffset(0), 4096)->data();
  const std::byte* second = window.Get(FileOffset(4096), 4096)->data();
  EXPECT_EQ(second, first + 4096);
}

TEST_P(FileWindowTest, BeyondTheEndIsTruncated) {
  FileWindow window = Window();
  for (uint64_t offset : {uint64_t{kSize - 1}, uint64_t{kSize}, UINT64_MAX - 1}) {
    Result<ByteView> view = window.Get(FileOffset(offset), 2);
    ASSERT_FALSE(view) << offset;
    EXPECT_EQ(view.error().kind(), ErrorKind::kTruncated);
    EXPECT_NE(view.error().message().find(fmt::format("{:#x}", offset)), std::string::npos);
  }
  ExpectBytes(window, 0, 4096);
}

TEST(FileWindow, FileThatShrinksIsAnErrorAndTheRestIsRead) {
  TempDir dir;
  ByteBuffer data = PatternBytes(1 << 20, 3);
  std::string path = dir.Write("file", AsText(data));
  UniqueFd fd = *OpenFile(path, O_RDWR);
  FileWindow window(fd.get(), data.size(), WindowMode::kRead, path);
  ASSERT_TRUE(window.Get(FileOffset(0), 4096));
  ASSERT_EQ(ftruncate(fd.get(), 0x81000), 0);
  Result<ByteView> gone = window.Get(FileOffset(0x80000), 0x2000);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind(), ErrorKind::kTruncated);
  EXPECT_EQ(gone.error().message(),
            "'" + path + "': the file ends at 0x81000, it had 0x100000 bytes when it was opened");
  Result<ByteView> left = window.Get(FileOffset(0x80000), 0x1000);
  ASSERT_TRUE(left);
  EXPECT_TRUE(std::equal(left->begin(), left->end(), data.begin() + 0x80000));
}

TEST(FileWindow, ReadsWhatCannotBeMapped) {
  // Files of /proc can be read at random, but most have no mmap.
  UniqueFd fd = *OpenFile("/proc/version", O_RDONLY);
  std::byte expected[16];
  ASSERT_TRUE(ReadFullyAt(fd.get(), FileOffset(0), expected));
  FileWindow window(fd.get(), sizeof(expected), WindowMode::kMap, "/proc/version");
  Result<ByteView> view = window.Get(FileOffset(0), sizeof(expected));
  ASSERT_TRUE(view) << view.error().message();
  EXPECT_TRUE(std::equal(view->begin(), view->end(), expected));
}

TEST(FileWindow, FailedReadNamesFileAndOffset) {
  UniqueFd directory = *OpenFile("/", O_RDONLY | O_DIRECTORY);
  FileWindow window(directory.get(), 1 << 20, WindowMode::kRead, "/");
  Result<ByteView> view = window.Get(FileOffset(0x3000), 16);
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().kind(), ErrorKind::kSystem);
  EXPECT_EQ(view.error().error_number(), EISDIR);
  EXPECT_EQ(view.error().message(), "'/': reading at 0x3000: Is a directory");
}

}  // namespace
}  // namespace kdumpkit
