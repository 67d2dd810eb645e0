// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <cstdlib>

#include "base/file.h"

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

// Standard output of a shell script.
std::string OutputOf(const std::string& script, SpawnOptions options = {}) {
  int fds[2];
  CHECK(pipe2(fds, O_CLOEXEC) == 0);
  UniqueFd read_end(fds[0]), write_end(fds[1]);
  options.stdout_fd = write_end.get();
  ChildProcess child = ChildProcess::Spawn({"/bin/sh", "-c", script}, options).value();
  write_end.reset();
  ByteBuffer output = ReadToEnd(read_end.get(), 1 << 20).value();
  EXPECT_TRUE(child.Wait().value().ok());
  return std::string(AsText(output));
}

TEST(ChildProcess, EnvironmentIsAddedAndComesFirst) {
  setenv("KDUMP_TEST_INHERITED", "inherited", 1);
  setenv("KDUMP_TEST_CHANGED", "old", 1);
  SpawnOptions options;
  options.environment = {"KDUMP_TEST_CHANGED=new", "KDUMP_TEST_ADDED=two words"};
  EXPECT_EQ(
      OutputOf("echo $KDUMP_TEST_INHERITED $KDUMP_TEST_CHANGED \"$KDUMP_TEST_ADDED\"", options),
      "inherited new two words\n");
}

// A parent that ignores SIGPIPE must not make its children ignore it.
TEST(ChildProcess, PipesBreakAsUsual) {
  auto before = signal(SIGPIPE, SIG_IGN);
  // The mask of ignored signals; SIGPIPE is number 13.
  std::string ignored = OutputOf("sed -n 's/^SigIgn:[^0-9a-f]*//p' /proc/self/status");
  EXPECT_EQ(std::stoull(ignored, nullptr, 16) & 1U << (SIGPIPE - 1), 0u) << ignored;
  signal(SIGPIPE, before);
}

TEST(ChildProcess, GroupIsKilledWhole) {
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  UniqueFd read_end(fds[0]), write_end(fds[1]);
  SpawnOptions options;
  options.stdout_fd = write_end.get();
  options.own_group = true;
  ChildProcess child = ChildProcess::Spawn({"/bin/sh", "-c", "sleep 1000 & wait"}, options).value();
  write_end.reset();
  EXPECT_TRUE(child.Wait(std::chrono::milliseconds(100)).value().timed_out);
  // The end of the output: nobody is left who could write.
  EXPECT_EQ(ReadToEnd(read_end.get(), 100).value().size(), 0u);
}

TEST(ChildProcess, EndDescriptorTellsTheEnd) {
  ChildProcess child = ChildProcess::Spawn({"/bin/sh", "-c", "sleep 0.1"}, {}).value();
  UniqueFd end = child.EndDescriptor().value();
  pollfd entry{end.get(), POLLIN, 0};
  EXPECT_EQ(poll(&entry, 1, 10'000), 1);
  EXPECT_FALSE(child.Wait().value().timed_out);
}

}  // namespace
}  // namespace kdumpkit
