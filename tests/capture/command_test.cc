// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class CommandTest : public testing::Test {
 protected:
  CommandEnd Run(const std::string& script, std::string_view input = {}) {
    request_.argv = {"/bin/sh", "-c", script};
    request_.input = AsBytes(input);
    return RunCommand(request_, watchdog_).value();
  }
  CommandRequest request_;
  Watchdog watchdog_{[](const std::string&) {}};
};

TEST_F(CommandTest, OutputErrorsAndStatus) {
  CommandEnd end = Run("echo out; echo err >&2; exit 7");
  EXPECT_EQ(end.output, "out\n");
  EXPECT_EQ(end.errors, "err\n");
  EXPECT_EQ(end.state.status, 7);
  EXPECT_FALSE(end.output_cut);
}

// More than any pipe holds, in both directions at once.
TEST_F(CommandTest, InputAndOutputOfAnySize) {
  std::string input(900'000, 'x');
  CommandEnd end = Run("cat", input);
  EXPECT_EQ(end.output, input);
  EXPECT_TRUE(end.input_taken);
}

TEST_F(CommandTest, InputThatNobodyReadsIsNoSignal) {
  CommandEnd end = Run("exit 3", std::string(900'000, 'x'));
  EXPECT_EQ(end.state.status, 3);
  EXPECT_FALSE(end.input_taken);
}

TEST_F(CommandTest, WithoutInputStdinIsEmpty) {
  EXPECT_EQ(Run("cat; cat /dev/stdin; echo end").output, "end\n");
}

TEST_F(CommandTest, OutputIsBounded) {
  request_.output_limit = 10;
  CommandEnd end = Run("echo 0123456789abc; echo 0123456789abc >&2");
  EXPECT_EQ(end.output, "0123456789");
  EXPECT_EQ(end.errors, "0123456789");
  EXPECT_TRUE(end.output_cut);
}

TEST_F(CommandTest, ShowGetsBothInTheirOrder) {
  std::string shown;
  request_.show = [&shown](std::string_view text) { shown += text; };
  CommandEnd end = Run("echo 1; sleep 0.1; echo 2 >&2; sleep 0.1; echo 3");
  EXPECT_EQ(shown, "1\n2\n3\n");
  EXPECT_EQ(end.output, "");
}

TEST_F(CommandTest, IsKilledAfterItsTimeWithItsChildren) {
  request_.limit = milliseconds(100);
  auto start = std::chrono::steady_clock::now();
  CommandEnd end = Run("echo begun; sleep 1000 & wait");
  EXPECT_TRUE(end.state.timed_out);
  EXPECT_EQ(end.output, "begun\n");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

// As fence_kdump_send is used: it has our pipes, and must not keep us.
TEST_F(CommandTest, WhatRunsInTheBackgroundIsNotWaitedFor) {
  auto start = std::chrono::steady_clock::now();
  CommandEnd end = Run("sleep 20 & echo started $!");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
  EXPECT_TRUE(end.state.ok());
  ASSERT_THAT(end.output, HasSubstr("started "));
  EXPECT_EQ(kill(std::stoi(end.output.substr(8)), SIGKILL), 0) << "it should be alive";
}

TEST_F(CommandTest, EndlessOutputInTheBackgroundIsNotFollowed) {
  request_.output_limit = 1000;
  CommandEnd end = Run("yes & sleep 0.2");
  EXPECT_TRUE(end.state.ok());
}

TEST_F(CommandTest, MissingProgramIsAnError) {
  request_.argv = {"/no/such/program"};
  Result<CommandEnd> end = RunCommand(request_, watchdog_);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().error_number(), ENOENT);
}

}  // namespace
}  // namespace kdumpkit
