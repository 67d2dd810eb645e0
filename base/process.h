// SPDX-License-Identifier: GPL-2.0-or-later
// Child processes: an argv, never a shell.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace kdumpkit {

struct SpawnOptions {
  // Descriptors the child gets as stdin, stdout and stderr; -1 keeps the parent's.
  int stdin_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
  // "NAME=value", in addition to what the parent has, or instead.
  std::vector<std::string> environment;
  // A process group of its own: a child that is killed takes with it what it has started.
  bool own_group = false;
};

// How a child ended.
struct ExitState {
  int status = 0;  // exit status; meaningless when killed by a signal
  int signal = 0;  // the signal that killed it, 0 if none
  bool timed_out = false;

  bool ok() const { return status == 0 && signal == 0 && !timed_out; }
  // "exit status 3", "killed by signal 9 (Killed)", "timed out".
  std::string ToString() const;
};

class ChildProcess {
 public:
  // argv[0] is looked up in PATH when it has no slash. The child has SIGPIPE as programs expect it,
  // whatever the parent does with it. Errors: kSystem.
  static Result<ChildProcess> Spawn(const std::vector<std::string>& argv,
                                    const SpawnOptions& options = {});
  ChildProcess(ChildProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), own_group_(other.own_group_) {}
  ChildProcess& operator=(ChildProcess&&) = delete;
  // A child that was not waited for is killed and reaped.
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  // Waits for the end; past `timeout` the child is killed (SIGKILL) and reported as timed out.
  Result<ExitState> Wait(std::optional<std::chrono::milliseconds> timeout = std::nullopt);
  // A descriptor that poll(2) finds readable when the child has ended.
  Result<UniqueFd> EndDescriptor() const;

 private:
  ChildProcess(pid_t pid, bool own_group) : pid_(pid), own_group_(own_group) {}
  void Kill() const;

  pid_t pid_;
  bool own_group_;
};

}  // namespace kdumpkit
