// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/memfd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/file.h"

namespace kdumpkit {
namespace {

std::string NameOf(int fd) {
  std::error_code error;
  return std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd), error);
}

TEST(SealedMemfd, HoldsTheContentsAtPositionZero) {
  std::string contents(3u << 20, 'k');
  contents += "end";
  UniqueFd fd = SealedMemfd("kernel", AsBytes(contents)).value();
  EXPECT_EQ(NameOf(fd.get()), "/memfd:kernel (deleted)");
  EXPECT_TRUE(AsText(ReadToEnd(fd.get(), 4u << 20).value()) == contents);
}

TEST(SealedMemfd, NobodyCanChangeIt) {
  UniqueFd fd = SealedMemfd("kernel", AsBytes("contents")).value();
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  EXPECT_EQ(fcntl(fd.get(), F_GET_SEALS) & kSeals, kSeals);
  EXPECT_EQ(pwrite(fd.get(), "x", 1, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(ftruncate(fd.get(), 0), -1);
  EXPECT_EQ(ftruncate(fd.get(), 100), -1);
  EXPECT_EQ(mmap(nullptr, 4096, PROT_WRITE, MAP_SHARED, fd.get(), 0), MAP_FAILED);
}

TEST(SealedMemfd, IsClosedOnExec) {
  UniqueFd fd = SealedMemfd("kernel", AsBytes("contents")).value();
  EXPECT_NE(fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(SealedMemfd, EmptyContentsAndLongNames) {
  UniqueFd fd = SealedMemfd(std::string(1000, 'n'), {}).value();
  struct stat info {};
  ASSERT_EQ(fstat(fd.get(), &info), 0);
  EXPECT_EQ(info.st_size, 0);
  EXPECT_TRUE(S_ISREG(info.st_mode));
}

}  // namespace
}  // namespace kdumpkit
