// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/fingerprint.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr const char kWrongDigest[] = "of something else";

class FingerprintTest : public testing::Test {
 protected:
  // As if the file had been changed so long before it was read.
  Fingerprint TakenAfter(int64_t nanoseconds) {
    Fingerprint print = *TakeFingerprint(path_);
    print.taken = print.state.ctime + nanoseconds;
    return print;
  }
  // The digest is looked at only by who reads the file.
  static bool IsRead(Fingerprint print) {
    print.sha256 = kWrongDigest;
    return *CompareFile(print) == Sameness::kChanged;
  }

  TempDir dir_;
  std::string path_ = dir_.Write("file", "content");
};

TEST_F(FingerprintTest, UnchangedFilesAreNotRead) {
  EXPECT_FALSE(IsRead(TakenAfter(10 * kSecond)));
  Fingerprint print = TakenAfter(10 * kSecond);
  EXPECT_EQ(*CompareFile(print), Sameness::kSame);
}

TEST_F(FingerprintTest, FilesThatWereFreshAreReadAgain) {
  EXPECT_TRUE(IsRead(TakenAfter(0)));
  EXPECT_TRUE(IsRead(TakenAfter(kSecond / 20)));
  if (StateOfFile(path_)->ctime % kSecond == 0) GTEST_SKIP() << "no fine times here";
  EXPECT_FALSE(IsRead(TakenAfter(kSecond / 5)));
}

TEST_F(FingerprintTest, TimesInTheFutureDoNotMakeItFresh) {
  timespec times[2] = {{4'000'000'000, 0}, {4'000'000'000, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  if (StateOfFile(path_)->ctime % kSecond == 0) GTEST_SKIP() << "no fine times here";
  EXPECT_FALSE(IsRead(TakenAfter(10 * kSecond)));
}

TEST_F(FingerprintTest, AnotherNumberOfTheDeviceIsNoChange) {
  Fingerprint print = TakenAfter(10 * kSecond);
  bool fine = print.state.ctime % kSecond != 0;
  ++print.state.device;
  EXPECT_EQ(IsRead(print), !fine);
}

TEST_F(FingerprintTest, TouchedFilesAreReadOnce) {
  Fingerprint print = TakenAfter(10 * kSecond);
  // As a package that is installed once more.
  std::filesystem::rename(dir_.Write("new", "content"), path_);
  EXPECT_EQ(*CompareFile(print), Sameness::kSameButTouched);
  print.taken = print.state.ctime + 10 * kSecond;
  EXPECT_FALSE(IsRead(print));
  EXPECT_EQ(*CompareFile(print), Sameness::kSame);
}

TEST_F(FingerprintTest, ChangesDoNotHideBehindOldTimes) {
  Fingerprint print = TakenAfter(10 * kSecond);
  timespec times[2] = {{0, UTIME_OMIT}, {print.state.mtime / kSecond, print.state.mtime % kSecond}};
  std::filesystem::rename(dir_.Write("new", "CONTENT"), path_);
  ASSERT_EQ(utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  ASSERT_EQ(StateOfFile(path_)->mtime, print.state.mtime);
  EXPECT_EQ(*CompareFile(print), Sameness::kChanged);
}

TEST_F(FingerprintTest, AnotherSizeIsAChange) {
  Fingerprint print = TakenAfter(10 * kSecond);
  dir_.Write("file", "more content");
  EXPECT_EQ(*CompareFile(print), Sameness::kChanged);
}

TEST_F(FingerprintTest, FilesThatAreGone) {
  Fingerprint print = TakenAfter(10 * kSecond);
  std::filesystem::remove(path_);
  Result<Sameness> same = CompareFile(print);
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().error_number(), ENOENT);
}

}  // namespace
}  // namespace kdumpkit
