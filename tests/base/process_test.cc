// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace kdumpkit {
namespace {

ExitState RunToEnd(const std::vector<std::string>& argv,
                   std::optional<std::chrono::milliseconds> timeout = std::nullopt) {
  return ChildProcess::Spawn(argv).value().Wait(timeout).value();
}

TEST(ChildProcess, ReportsExitStatus) {
  EXPECT_TRUE(RunToEnd({"true"}).ok());
  EXPECT_EQ(RunToEnd({"sh", "-c", "exit 7"}).ToString(), "exit status 7");
}

TEST(ChildProcess, ReportsSignal) {
  ExitState state = RunToEnd({"sh", "-c", "kill -9 $$"});
  EXPECT_EQ(state.signal, SIGKILL);
  EXPECT_EQ(state.ToString(), "killed by signal 9 (Killed)");
}

TEST(ChildProcess, IsKilledAfterItsTime) {
  ExitState state = RunToEnd({"sleep", "60"}, std::chrono::milliseconds(50));
  EXPECT_TRUE(state.timed_out);
  EXPECT_FALSE(state.ok());
}

TEST(ChildProcess, MissingProgramIsAnError) {
  EXPECT_FALSE(ChildProcess::Spawn({"/no/such/program"}));
}

}  // namespace
}  // namespace kdumpkit
