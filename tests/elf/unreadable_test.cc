// SPDX-License-Identifier: GPL-2.0-or-later
// Pages that cannot be read. Runs with eio_preload.c preloaded (tests/elf/meson.build).
#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "elf/file_window.h"
#include "elf/vmcore.h"
#include "tests/support/fake_memory.h"
#include "tests/support/temp_dir.h"
#include "tests/support/vmcore_builder.h"

namespace kdumpkit {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kPages = 256;
constexpr size_t kBadPage = 100;

class Unreadable : public testing::Test {
 protected:
  Unreadable() : data_(PatternBytes(kPages * kPage, 1)) {
    VmcoreBuilder builder;
    builder.AddVmcoreinfo("A=1\n").AddSegment(PhysAddr(0), data_);
    path_ = builder.WriteTo(dir_.File("vmcore"));
    bad_offset_ = builder.SegmentOffset(0) + kBadPage * kPage;
    std::string text = fmt::format("{}:{:#x}:{:#x}", path_, bad_offset_, kPage);
    setenv("KDUMPKIT_TEST_EIO", text.c_str(), 1);
  }
  ~Unreadable() override { unsetenv("KDUMPKIT_TEST_EIO"); }

  bool IsPage(ByteView view, size_t page) const {
    return std::equal(view.begin(), view.end(), data_.begin() + ptrdiff_t(page * kPage));
  }

  TempDir dir_;
  ByteBuffer data_;
  std::string path_;
  uint64_t bad_offset_ = 0;
};

TEST_F(Unreadable, OnlyViewsOfTheBadPageFail) {
  auto core = Vmcore::Open(path_);
  ASSERT_TRUE(core) << core.error().message();
  auto reader = (*core)->NewReader();
  for (size_t page = 0; page < kPages; ++page) {
    Result<ByteView> view = reader->View(PhysAddr(page * kPage), kPage);
    ASSERT_EQ(view.has_value(), page != kBadPage) << page;
    if (view) {
      EXPECT_TRUE(IsPage(*view, page)) << page;
    }
  }
}

TEST_F(Unreadable, ErrorSaysFileOffsetAndErrno) {
  auto core = Vmcore::Open(path_);
  ASSERT_TRUE(core);
  auto view = (*core)->NewReader()->View(PhysAddr((kBadPage - 2) * kPage), 4 * kPage);
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().kind(), ErrorKind::kSystem);
  EXPECT_EQ(view.error().error_number(), EIO);
  EXPECT_EQ(view.error().message(),
            fmt::format("'{}': reading at {:#x}: Input/output error", path_, bad_offset_));
}

TEST_F(Unreadable, MappedWindowFallsBackToReading) {
  UniqueFd fd = *OpenFile(path_, O_RDONLY);
  uint64_t start = bad_offset_ - kBadPage * kPage;
  FileWindow window(fd.get(), start + data_.size(), WindowMode::kMap, path_);
  for (size_t page = 0; page < kPages; ++page) {
    Result<ByteView> view = window.Get(FileOffset(start + page * kPage), kPage);
    ASSERT_EQ(view.has_value(), page != kBadPage) << page;
    if (view) {
      EXPECT_TRUE(IsPage(*view, page)) << page;
    }
  }
}

TEST_F(Unreadable, NotesThatCannotBeReadAreAnError) {
  std::string text = fmt::format("{}:0x1000:0x1000", path_);
  setenv("KDUMPKIT_TEST_EIO", text.c_str(), 1);
  auto core = Vmcore::Open(path_);
  ASSERT_FALSE(core);
  EXPECT_EQ(core.error().error_number(), EIO);
  EXPECT_NE(core.error().message().find("'" + path_ + "'"), std::string::npos);
}

// The same faults without a file below: what a caller of MemoryReader sees does not differ.
TEST_F(Unreadable, InjectionAboveTheReaderGivesTheSameErrors) {
  auto below = Vmcore::Open(path_);
  ASSERT_TRUE(below);
  unsetenv("KDUMPKIT_TEST_EIO");
  auto intact = Vmcore::Open(path_);
  ASSERT_TRUE(intact);
  FaultyMemory above(**intact);
  above.Fail(PhysAddr(kBadPage * kPage), kPage);
  auto injected = above.NewReader();
  for (size_t page : {kBadPage - 1, kBadPage, kBadPage + 1}) {
    PhysAddr address(page * kPage);
    Result<ByteView> view = injected->View(address, kPage);
    ASSERT_EQ(view.has_value(), page != kBadPage);
    if (!view) {
      EXPECT_EQ(view.error().error_number(), EIO);
    }
    ByteBuffer copy(kPage);
    EXPECT_EQ(ReadPhysical(*injected, address, copy).has_value(), page != kBadPage);
  }
}

}  // namespace
}  // namespace kdumpkit
