// SPDX-License-Identifier: GPL-2.0-or-later
// Child processes: an argv, never a shell.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace kdumpkit {

struct SpawnOptions {
  // Descriptors the child gets as stdin, stdout and stderr; -1 keeps the parent's.
  int stdin_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
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
  // argv[0] is looked up in PATH when it has no slash. Errors: kSystem.
  static Result<ChildProcess> Spawn(const std::vector<std::string>& argv,
                                    const SpawnOptions& options = {});
  ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  ChildProcess& operator=(ChildProcess&&) = delete;
  // A child that was not waited for is killed and reaped.
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  // Waits for the end; past `timeout` the child is killed (SIGKILL) and reported as timed out.
  Result<ExitState> Wait(std::optional<std::chrono::milliseconds> timeout = std::nullopt);

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

}  // namespace kdumpkit
