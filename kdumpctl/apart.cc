// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/apart.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <thread>

#include "base/file.h"

namespace kdumpkit {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// What a process in these namespaces could still do to all of the machine.
constexpr int kDropped[] = {CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_BOOT, CAP_SYS_TIME,
                            CAP_NET_ADMIN};
constexpr int kCannotPrepare = 126, kCannotRun = 127;

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

Status Enter(const ApartProgram& program) {
  // Ends with kdumpctl, and its namespaces with it.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return SystemError(errno, "PR_SET_PDEATHSIG");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return SystemError(errno, "cannot take the mounts apart");
  TRY(program.prepare());
  for (int capability : kDropped)
    if (prctl(PR_CAPBSET_DROP, capability) != 0) return SystemError(errno, "PR_CAPBSET_DROP");
  return {};
}

[[noreturn]] void RunChild(const ApartProgram& program, int output) {
  (void)setsid();
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  (void)dup2(nothing, STDIN_FILENO);
  (void)dup2(output, STDOUT_FILENO);
  (void)dup2(output, STDERR_FILENO);
  Status entered = Enter(program);
  if (!entered) {
    (void)WriteFully(STDERR_FILENO, AsBytes(entered.error().message() + "\n"));
    _exit(kCannotPrepare);
  }
  std::vector<char*> arguments = Pointers(program.argv);
  std::vector<char*> environment = Pointers(program.environment);
  (void)execve(arguments[0], arguments.data(), environment.data());
  Error error = SystemError(errno, fmt::format("cannot run '{}'", program.argv[0]));
  (void)WriteFully(STDERR_FILENO, AsBytes(error.message() + "\n"));
  _exit(kCannotRun);
}

// Until the output ends, which it does with the last process of the namespace.
bool Follow(int output, Clock::time_point end, const ApartProgram& program) {
  char buffer[4096];
  for (;;) {
    auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
    pollfd wanted{output, POLLIN, 0};
    int ready = poll(&wanted, 1, static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1 << 30)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    ssize_t size = read(output, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return true;
    program.show({buffer, static_cast<size_t>(size)});
  }
}

// A process that hangs in the kernel is left alone after a while.
Result<ExitState> Reap(pid_t pid) {
  constexpr milliseconds kStep{20}, kPatience{10'000};
  int status = 0;
  for (milliseconds waited{0}; waitpid(pid, &status, WNOHANG) == 0; waited += kStep) {
    if (waited >= kPatience)
      return UsageError("process {} hangs in the kernel and cannot be ended", pid);
    std::this_thread::sleep_for(kStep);
  }
  ExitState state;
  if (WIFEXITED(status)) state.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) state.signal = WTERMSIG(status);
  return state;
}

}  // namespace

Result<ExitState> RunApartNow(const ApartProgram& program, milliseconds limit) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError(errno, "cannot make a pipe");
  UniqueFd ours(ends[0]), theirs(ends[1]);
  Clock::time_point deadline = Clock::now() + limit;
  // As fork(2), but born into new namespaces: only so is the child process 1 of one.
  long pid =
      syscall(SYS_clone, CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid < 0) return SystemError(errno, "cannot make a mount and PID namespace (clone)");
  if (pid == 0) RunChild(program, theirs.get());
  theirs.reset();
  bool ended = Follow(ours.get(), deadline, program);
  if (!ended) (void)kill(static_cast<pid_t>(pid), SIGKILL);
  ExitState state = TRY(Reap(static_cast<pid_t>(pid)));
  state.timed_out = !ended;
  return state;
}

}  // namespace kdumpkit
