// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/filter_child.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/capture/fake_system.h"
#include "tests/capture/stub_filter.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;

class FilterChildTest : public testing::Test {
 protected:
  Result<FilterEnd> Run(const std::string& body, milliseconds stall = milliseconds(60'000)) {
    filter_.SetBody(body);
    return RunFilter({filter_.path(), dir_.File("vmcore")}, dir_.File("vmcore"), stall, log_,
                     watchdog_);
  }
  TempDir dir_;
  StubFilter filter_{dir_};
  FakeConsole console_{dir_.File("console")};
  CaptureLog log_{console_.fd(), [] { return milliseconds(0); }};
  Watchdog watchdog_{[](const std::string&) {}};
};

TEST_F(FilterChildTest, Complete) {
  Result<FilterEnd> end = Run("exit 0");
  ASSERT_TRUE(end);
  EXPECT_TRUE(end->complete());
  EXPECT_FALSE(end->partial());
}
TEST_F(FilterChildTest, Partial) {
  Result<FilterEnd> end = Run("exit 3");
  EXPECT_TRUE(end->partial());
  EXPECT_FALSE(end->complete());
}
TEST_F(FilterChildTest, FailedIsNeither) {
  Result<FilterEnd> end = Run("exit 1");
  EXPECT_FALSE(end->complete());
  EXPECT_FALSE(end->partial());
  EXPECT_EQ(end->ToString(), "exit status 1");
}
TEST_F(FilterChildTest, KilledBySignal) {
  EXPECT_EQ(Run("kill -KILL $$")->ToString(), "killed by signal 9 (Killed)");
}
TEST_F(FilterChildTest, MissingProgramIsAnError) {
  Result<FilterEnd> end = RunFilter({dir_.File("none")}, "", milliseconds(1000), log_, watchdog_);
  ASSERT_FALSE(end);
  EXPECT_THAT(end.error().message(), HasSubstr("cannot run"));
}
TEST_F(FilterChildTest, CommandAndBothOutputsAreLogged) {
  ASSERT_TRUE(Run("echo out; echo err >&2"));
  EXPECT_THAT(console_.text(), HasSubstr("kdump: running: " + filter_.path()));
  EXPECT_THAT(console_.text(), EndsWith("out\nerr\n"));
}
TEST_F(FilterChildTest, MuchOutputDoesNotBlock) {
  ASSERT_TRUE(Run("head -c 1000000 /dev/zero | tr '\\0' 'x'; echo; exit 0")->complete());
  EXPECT_GT(console_.text().size(), 1000000u);
}
TEST_F(FilterChildTest, SilentChildIsKilled) {
  Result<FilterEnd> end = Run("exec sleep 1000", milliseconds(100));
  ASSERT_TRUE(end);
  EXPECT_TRUE(end->stalled);
  EXPECT_FALSE(end->complete());
  EXPECT_EQ(end->ToString(), "made no progress and was killed");
}
TEST_F(FilterChildTest, ChildThatClosedItsOutputIsKilledToo) {
  Result<FilterEnd> end = Run("exec sleep 1000 >&- 2>&-", milliseconds(100));
  EXPECT_TRUE(end->stalled);
}
TEST_F(FilterChildTest, OutputIsProgress) {
  EXPECT_TRUE(
      Run("for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.2; done; exit 0", milliseconds(1000))
          ->complete());
}
TEST_F(FilterChildTest, WrittenFileIsProgress) {
  EXPECT_TRUE(Run("for i in 1 2 3 4 5 6 7 8; do echo $i >>\"$out-incomplete\"; sleep 0.2; done",
                  milliseconds(1000))
                  ->complete());
}

}  // namespace
}  // namespace kdumpkit
