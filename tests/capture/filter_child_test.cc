// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/filter_child.h"

#include <gmock/gmock.h>

#include "tests/capture/capture_fixture.h"

namespace kdumpkit {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class FilterChildTest : public CaptureFixture {
 protected:
  Result<FilterEnd> Run(const std::string& body, int stall = 60,
                        std::function<Status(ByteView)> sink = nullptr) {
    filter_.SetBody(body);
    config_.stall_timeout = std::chrono::seconds(stall);
    return RunFilter({{filter_.path(), dir_.File("vmcore")}, dir_.File("vmcore"), sink}, context_);
  }
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
  Result<FilterEnd> end = RunFilter({{dir_.File("none")}, "", nullptr}, context_);
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
  Result<FilterEnd> end = Run("exec sleep 1000", 1);
  ASSERT_TRUE(end);
  EXPECT_TRUE(end->stalled);
  EXPECT_FALSE(end->complete());
  EXPECT_EQ(end->ToString(), "made no progress and was killed");
}
TEST_F(FilterChildTest, ChildThatClosedItsOutputIsKilledToo) {
  Result<FilterEnd> end = Run("exec sleep 1000 >&- 2>&-", 1);
  EXPECT_TRUE(end->stalled);
}
TEST_F(FilterChildTest, OutputIsProgress) {
  EXPECT_TRUE(Run("for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.2; done; exit 0", 1)->complete());
}
TEST_F(FilterChildTest, WrittenFileIsProgress) {
  EXPECT_TRUE(Run("for i in 1 2 3 4 5 6 7 8; do echo $i >>\"$out-incomplete\"; sleep 0.2; done", 1)
                  ->complete());
}
TEST_F(FilterChildTest, SinkTakesStandardOutputOnly) {
  std::string taken;
  ASSERT_TRUE(Run("echo out; echo err >&2", 60, [&](ByteView bytes) -> Status {
                taken += AsText(bytes);
                return {};
              })->complete());
  EXPECT_EQ(taken, "out\n");
  EXPECT_THAT(console_.text(), EndsWith("err\n"));
}
TEST_F(FilterChildTest, FailingSinkEndsTheChild) {
  Result<FilterEnd> end = Run(
      "cat /dev/zero", 60, [](ByteView) -> Status { return SystemError(ENOSPC, "cannot write"); });
  EXPECT_FALSE(end->complete());
  EXPECT_EQ(end->ToString(), "cannot write: No space left on device");
}

}  // namespace
}  // namespace kdumpkit
