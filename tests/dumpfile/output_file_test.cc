// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/output_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/file.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

using testing::HasSubstr;

std::string ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

bool Exists(const std::string& path) {
  struct stat status;
  return lstat(path.c_str(), &status) == 0;
}

OutputFile Create(const std::string& path, bool overwrite = false, std::string_view text = "dump") {
  auto file = OutputFile::Create(path, overwrite);
  CHECK(file.has_value());
  CHECK(WriteFullyAt(file->fd(), FileOffset(0), AsBytes(text)).has_value());
  return std::move(*file);
}

std::string Refusal(const std::string& path, bool overwrite) {
  auto file = OutputFile::Create(path, overwrite);
  if (file) return "created";
  EXPECT_EQ(file.error().kind(), ErrorKind::kUsage);
  return file.error().message();
}

TEST(OutputFile, CommitLeavesOnlyTheFinalName) {
  TempDir dir;
  OutputFile file = Create(dir.File("vmcore"));
  EXPECT_EQ(file.incomplete_path(), dir.File("vmcore-incomplete"));
  EXPECT_FALSE(Exists(dir.File("vmcore")));
  ASSERT_TRUE(file.Commit());
  EXPECT_EQ(ReadFile(dir.File("vmcore")), "dump");
  EXPECT_FALSE(Exists(dir.File("vmcore-incomplete")));
}

TEST(OutputFile, OnlyTheOwnerMayRead) {
  TempDir dir;
  OutputFile file = Create(dir.File("vmcore"));
  struct stat status;
  ASSERT_EQ(stat(file.incomplete_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
}

TEST(OutputFile, KeepLeavesTheIncompleteName) {
  TempDir dir;
  {
    OutputFile file = Create(dir.File("vmcore"));
    ASSERT_TRUE(file.Keep());
  }
  EXPECT_EQ(ReadFile(dir.File("vmcore-incomplete")), "dump");
  EXPECT_FALSE(Exists(dir.File("vmcore")));
}

TEST(OutputFile, NameThatSaysIncompleteIsKept) {
  TempDir dir;
  OutputFile file = Create(dir.File("vmcore-incomplete"));
  ASSERT_TRUE(file.Commit());
  EXPECT_EQ(ReadFile(dir.File("vmcore-incomplete")), "dump");
  EXPECT_FALSE(Exists(dir.File("vmcore-incomplete-incomplete")));
  EXPECT_THAT(Refusal(dir.File("vmcore-incomplete"), false), HasSubstr("exists"));
  ASSERT_TRUE(Create(dir.File("vmcore-incomplete"), true, "new").Commit());
  EXPECT_EQ(ReadFile(dir.File("vmcore-incomplete")), "new");
}

TEST(OutputFile, AbandonedFileIsRemoved) {
  TempDir dir;
  { OutputFile file = Create(dir.File("vmcore")); }
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(OutputFile, MovedFromFileRemovesNothing) {
  TempDir dir;
  auto first = std::make_unique<OutputFile>(Create(dir.File("vmcore")));
  OutputFile second(std::move(*first));
  first.reset();
  EXPECT_TRUE(Exists(second.incomplete_path()));
}

TEST(OutputFile, RelativePathWorks) {
  TempDir dir;
  std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(dir.path());
  OutputFile file = Create("vmcore");
  EXPECT_TRUE(file.Commit());
  std::filesystem::current_path(before);
  EXPECT_TRUE(Exists(dir.File("vmcore")));
}

TEST(OutputFile, ExistingFileIsRefused) {
  TempDir dir;
  std::string path = dir.Write("vmcore", "old");
  EXPECT_THAT(Refusal(path, false), HasSubstr("exists; choose another name or overwrite"));
  EXPECT_EQ(ReadFile(path), "old");
}

TEST(OutputFile, OverwriteKeepsTheOldFileUntilCommit) {
  TempDir dir;
  std::string path = dir.Write("vmcore", "old");
  OutputFile file = Create(path, true);
  EXPECT_EQ(ReadFile(path), "old");
  ASSERT_TRUE(file.Commit());
  EXPECT_EQ(ReadFile(path), "dump");
}

TEST(OutputFile, LeftoverIsRefused) {
  TempDir dir;
  std::string left = dir.Write("vmcore-incomplete", "valuable");
  EXPECT_THAT(Refusal(dir.File("vmcore"), false), HasSubstr("is left from an earlier dump"));
  EXPECT_EQ(ReadFile(left), "valuable");
}

TEST(OutputFile, OverwriteReplacesALeftover) {
  TempDir dir;
  dir.Write("vmcore-incomplete", "much longer than the new one");
  OutputFile file = Create(dir.File("vmcore"), true);
  ASSERT_TRUE(file.Commit());
  EXPECT_EQ(ReadFile(dir.File("vmcore")), "dump");
}

TEST(OutputFile, OverwriteDoesNotWriteThroughALink) {
  TempDir dir;
  std::string victim = dir.Write("victim", "precious");
  std::filesystem::create_symlink(victim, dir.File("vmcore-incomplete"));
  OutputFile file = Create(dir.File("vmcore"), true);
  ASSERT_TRUE(file.Commit());
  EXPECT_EQ(ReadFile(victim), "precious");
  EXPECT_EQ(ReadFile(dir.File("vmcore")), "dump");
}

TEST(OutputFile, FileThatAppearedMeanwhileIsNotReplaced) {
  TempDir dir;
  OutputFile file = Create(dir.File("vmcore"));
  dir.Write("vmcore", "other");
  Status status = file.Commit();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().error_number(), EEXIST);
  EXPECT_EQ(ReadFile(dir.File("vmcore")), "other");
  EXPECT_EQ(ReadFile(dir.File("vmcore-incomplete")), "dump");
}

TEST(OutputFile, FailedCommitKeepsTheData) {
  TempDir dir;
  {
    OutputFile file = Create(dir.File("vmcore"));
    std::filesystem::create_directory(dir.File("vmcore"));
    EXPECT_FALSE(file.Commit());
  }
  EXPECT_EQ(ReadFile(dir.File("vmcore-incomplete")), "dump");
}

TEST(OutputFile, ReplacedIncompleteFileIsNotCommitted) {
  TempDir dir;
  OutputFile file = Create(dir.File("vmcore"));
  std::filesystem::remove(file.incomplete_path());
  dir.Write("vmcore-incomplete", "of another process");
  Status status = file.Commit();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message(), HasSubstr("was replaced or removed"));
  EXPECT_FALSE(Exists(dir.File("vmcore")));
}

TEST(OutputFile, AnotherProcessesFileIsNotRemoved) {
  TempDir dir;
  {
    OutputFile file = Create(dir.File("vmcore"));
    std::filesystem::remove(file.incomplete_path());
    dir.Write("vmcore-incomplete", "of another process");
  }
  EXPECT_EQ(ReadFile(dir.File("vmcore-incomplete")), "of another process");
}

TEST(OutputFile, MissingDirectoryIsNamed) {
  TempDir dir;
  auto file = OutputFile::Create(dir.File("none/vmcore"), false);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().error_number(), ENOENT);
  EXPECT_THAT(file.error().message(), HasSubstr("none/vmcore-incomplete"));
  EXPECT_THAT(file.error().message(), HasSubstr("create the directory first"));
}

TEST(OutputFile, FileAsDirectoryFails) {
  TempDir dir;
  dir.Write("file", "");
  auto file = OutputFile::Create(dir.File("file/vmcore"), false);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().error_number(), ENOTDIR);
}

TEST(OutputFile, FileSystemThatTakesNoFilesFails) {
  // /proc/sys/kernel takes no new files for root either; its errno is EACCES, EPERM or ENOENT.
  auto file = OutputFile::Create("/proc/sys/kernel/vmcore", false);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind(), ErrorKind::kSystem);
  EXPECT_THAT(file.error().message(), HasSubstr("/proc/sys/kernel/vmcore-incomplete"));
}

TEST(OutputFile, DirectoryIsRefused) {
  TempDir dir;
  EXPECT_THAT(Refusal(dir.path(), true), HasSubstr("is a directory"));
}

TEST(OutputFile, NameOfADirectoryIsRefused) {
  TempDir dir;
  EXPECT_THAT(Refusal(dir.File("new/"), false), HasSubstr("add the name of the dump file"));
  EXPECT_THAT(Refusal("", false), HasSubstr("add the name of the dump file"));
}

TEST(OutputFile, DeviceIsRefused) {
  EXPECT_THAT(Refusal("/dev/full", true), HasSubstr("is a character device"));
}

TEST(OutputFile, BlockDeviceIsRefused) {
  TempDir dir;
  if (mknod(dir.File("disk").c_str(), S_IFBLK | 0600, 0) != 0) GTEST_SKIP() << "not permitted";
  EXPECT_THAT(Refusal(dir.File("disk"), true), HasSubstr("is a block device"));
}

TEST(OutputFile, PipeIsRefused) {
  TempDir dir;
  ASSERT_EQ(mkfifo(dir.File("pipe").c_str(), 0600), 0);
  EXPECT_THAT(Refusal(dir.File("pipe"), true), HasSubstr("is a pipe or socket"));
}

TEST(OutputFile, SymbolicLinkIsRefused) {
  TempDir dir;
  std::string victim = dir.Write("victim", "precious");
  std::filesystem::create_symlink(victim, dir.File("vmcore"));
  std::filesystem::create_symlink(dir.File("nothing"), dir.File("dangling"));
  EXPECT_THAT(Refusal(dir.File("vmcore"), true), HasSubstr("is a symbolic link"));
  EXPECT_THAT(Refusal(dir.File("dangling"), true), HasSubstr("is a symbolic link"));
}

}  // namespace
}  // namespace kdumpkit
