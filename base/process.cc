// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/process.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace kdumpkit {
namespace {

Result<ExitState> Reap(pid_t pid) {
  int wait_status = 0;
  while (waitpid(pid, &wait_status, 0) < 0) {
    if (errno != EINTR) return SystemError(errno, fmt::format("waiting for process {}", pid));
  }
  ExitState state;
  if (WIFEXITED(wait_status)) state.status = WEXITSTATUS(wait_status);
  if (WIFSIGNALED(wait_status)) state.signal = WTERMSIG(wait_status);
  return state;
}

Result<UniqueFd> OpenPidFd(pid_t pid) {
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid()) return SystemError(errno, "pidfd_open");
  return pidfd;
}

// True when the child ended within the timeout.
Result<bool> PollForExit(pid_t pid, std::chrono::milliseconds timeout) {
  UniqueFd pidfd = TRY(OpenPidFd(pid));
  auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() < 0) return false;
    pollfd entry{pidfd.get(), POLLIN, 0};
    int n = poll(&entry, 1, static_cast<int>(std::min<int64_t>(left.count() + 1, 1 << 30)));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return SystemError(errno, "poll");
  }
}

class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  void Dup(int fd, int target) {
    if (fd >= 0) posix_spawn_file_actions_adddup2(&actions_, fd, target);
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class Attributes {
 public:
  explicit Attributes(bool own_group) {
    posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    int flags = POSIX_SPAWN_SETSIGDEF | (own_group ? POSIX_SPAWN_SETPGROUP : 0);
    posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
  }
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

// The strings as exec(3) wants them; they are borrowed.
std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  return pointers;
}

// What is added takes the place of what is inherited under the same name.
std::vector<char*> Environment(const std::vector<std::string>& added) {
  std::vector<char*> pointers = Pointers(added);
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    std::string_view name(*entry);
    name = name.substr(0, name.find('=') + 1);
    if (std::ranges::none_of(added, [&](const auto& text) { return text.starts_with(name); }))
      pointers.push_back(*entry);
  }
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

std::string ExitState::ToString() const {
  if (timed_out) return "timed out and was killed";
  if (signal != 0) return fmt::format("killed by signal {} ({})", signal, strsignal(signal));
  return fmt::format("exit status {}", status);
}

Result<ChildProcess> ChildProcess::Spawn(const std::vector<std::string>& argv,
                                         const SpawnOptions& options) {
  CHECK(!argv.empty());
  FileActions actions;
  actions.Dup(options.stdin_fd, STDIN_FILENO);
  actions.Dup(options.stdout_fd, STDOUT_FILENO);
  actions.Dup(options.stderr_fd, STDERR_FILENO);
  Attributes attributes(options.own_group);
  std::vector<char*> arguments = Pointers(argv);
  arguments.push_back(nullptr);
  std::vector<char*> environment = Environment(options.environment);
  pid_t pid = -1;
  int error = posix_spawnp(&pid, arguments[0], actions.get(), attributes.get(), arguments.data(),
                           environment.data());
  if (error != 0) return SystemError(error, fmt::format("cannot run '{}'", argv[0]));
  return ChildProcess(pid, options.own_group);
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  Kill();
  (void)Reap(pid_);
}

void ChildProcess::Kill() const { kill(own_group_ ? -pid_ : pid_, SIGKILL); }

Result<UniqueFd> ChildProcess::EndDescriptor() const { return OpenPidFd(pid_); }

Result<ExitState> ChildProcess::Wait(std::optional<std::chrono::milliseconds> timeout) {
  bool timed_out = false;
  if (timeout && !TRY(PollForExit(pid_, *timeout))) {
    timed_out = true;
    Kill();
  }
  ExitState state = TRY(Reap(pid_));
  pid_ = -1;
  state.timed_out = timed_out;
  return state;
}

}  // namespace kdumpkit
