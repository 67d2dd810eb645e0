// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/capture/fake_system.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {
namespace {

class LogTest : public testing::Test {
 protected:
  std::string File() { return FakeConsole(dir_.File("capture.log")).text(); }
  TempDir dir_;
  FakeConsole console_{dir_.File("console")};
  CaptureLog log_{console_.fd(), [] { return std::chrono::milliseconds(12345); }};
};

TEST_F(LogTest, LineGoesToConsoleAndFile) {
  ASSERT_TRUE(log_.Open(dir_.File("capture.log")));
  log_.Say("{} modules", 3);
  EXPECT_EQ(console_.text(), "kdump: 3 modules\n");
  EXPECT_EQ(File(), "[   12.345] 3 modules\n");
}
TEST_F(LogTest, FileBeginsWithWhatWasSaidBefore) {
  log_.Say("early");
  ASSERT_TRUE(log_.Open(dir_.File("capture.log")));
  log_.Say("late");
  EXPECT_EQ(File(), "[   12.345] early\n[   12.345] late\n");
}
TEST_F(LogTest, ConsoleOnlyIsNotInTheFile) {
  ASSERT_TRUE(log_.Open(dir_.File("capture.log")));
  log_.Console("rebooting");
  EXPECT_EQ(console_.text(), "kdump: rebooting\n");
  EXPECT_EQ(File(), "");
}
TEST_F(LogTest, RawIsCopiedAsItIs) {
  ASSERT_TRUE(log_.Open(dir_.File("capture.log")));
  log_.Raw("progress 10 %\r");
  log_.Raw("progress 20 %\n");
  EXPECT_EQ(console_.text(), "progress 10 %\rprogress 20 %\n");
  EXPECT_EQ(File(), console_.text());
}
TEST_F(LogTest, LineAfterAnUnfinishedOneBeginsAnew) {
  log_.Raw("progress");
  log_.Say("killed");
  EXPECT_EQ(console_.text(), "progress\nkdump: killed\n");
}
TEST_F(LogTest, FileIsNotReplaced) {
  dir_.Write("capture.log", "of another dump");
  EXPECT_FALSE(log_.Open(dir_.File("capture.log")));
  EXPECT_EQ(File(), "of another dump");
}
TEST_F(LogTest, FullDiskIsSaidOnce) {
  // Files must not grow, which a pipe does not mind.
  int console[2];
  ASSERT_EQ(pipe2(console, O_CLOEXEC), 0);
  UniqueFd read_end(console[0]), write_end(console[1]);
  signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit none = {0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
  {
    CaptureLog log(write_end.get(), [] { return std::chrono::milliseconds(0); });
    EXPECT_TRUE(log.Open(dir_.File("capture.log")));
    log.Say("one");
    log.Say("two");
  }
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  write_end.reset();
  Result<ByteBuffer> text = ReadToEnd(read_end.get(), 1 << 20);
  ASSERT_TRUE(text);
  EXPECT_EQ(AsText(*text),
            "kdump: one\nkdump: capture.log: writing 16 bytes: File too large, ignoring\n"
            "kdump: two\n");
}
TEST_F(LogTest, OfMuchTextTheMiddleIsCut) {
  log_.Raw("first\n");
  for (int i = 0; i < 1000; ++i) log_.Raw(std::string(1023, 'x') + "\n");
  log_.Raw("last\n");
  ASSERT_TRUE(log_.Open(dir_.File("capture.log")));
  EXPECT_LE(File().size(), size_t{64} << 10);
  EXPECT_GT(File().size(), size_t{40} << 10);
  EXPECT_TRUE(File().starts_with("first\n"));
  EXPECT_TRUE(File().ends_with("last\n"));
}
TEST_F(LogTest, SecondFileHasEverythingToo) {
  log_.Say("one");
  ASSERT_TRUE(log_.Open(dir_.File("first.log")));
  log_.Say("two");
  log_.Close();
  ASSERT_TRUE(log_.Open(dir_.File("capture.log")));
  EXPECT_EQ(File(), "[   12.345] one\n[   12.345] two\n");
  EXPECT_EQ(log_.text(), File());
}

TEST(SizeText, Units) {
  EXPECT_EQ(SizeText(0), "0 bytes");
  EXPECT_EQ(SizeText(1023), "1023 bytes");
  EXPECT_EQ(SizeText(1536), "1.5 KiB");
  EXPECT_EQ(SizeText(uint64_t{57} << 20), "57.0 MiB");
  EXPECT_EQ(SizeText(uint64_t{3} << 40), "3.0 TiB");
}

}  // namespace
}  // namespace kdumpkit
