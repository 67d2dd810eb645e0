// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/filter_child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// A killed child that does not go away hangs in the kernel; then the watchdog ends the capture.
constexpr milliseconds kGrace{60'000};
constexpr milliseconds kPollInterval{1000};

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

Result<Pipe> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return SystemError(errno, "cannot create a pipe");
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

int64_t ChangeTime(const std::string& path) {
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0) return 0;
  return int64_t{file.st_mtim.tv_sec} * 1'000'000'000 + file.st_mtim.tv_nsec;
}

// Knows when the child last did something that can be seen from outside.
class Progress {
 public:
  Progress(std::string output, milliseconds stall, Watchdog& watchdog)
      : output_(std::move(output)), stall_(stall), watchdog_(watchdog) {
    Note();
  }
  void Note() {
    last_ = Clock::now();
    watchdog_.Expect("kdump-filter", stall_ + kGrace);
  }
  void LookAtFiles() {
    int64_t change = std::max(ChangeTime(output_), ChangeTime(output_ + "-incomplete"));
    if (std::exchange(change_, change) != change) Note();
  }
  bool Stalled() const { return Clock::now() - last_ > stall_; }

 private:
  std::string output_;
  milliseconds stall_;
  Watchdog& watchdog_;
  Clock::time_point last_;
  int64_t change_ = 0;
};

// Copies what is there to read; false at the end of the output.
bool CopyOutput(int fd, CaptureLog& log) {
  char buffer[4096];
  ssize_t n = read(fd, buffer, sizeof(buffer));
  if (n < 0) return errno == EINTR;
  log.Raw({buffer, static_cast<size_t>(n)});
  return n > 0;
}

// Until the child closes its output; true when it had to be killed.
bool Follow(int fd, pid_t pid, milliseconds tick, Progress& progress, CaptureLog& log) {
  for (;;) {
    pollfd entry{fd, POLLIN, 0};
    int n = poll(&entry, 1, static_cast<int>(tick.count()));
    if (n > 0) {
      if (!CopyOutput(fd, log)) return false;
      progress.Note();
    }
    progress.LookAtFiles();
    if (!progress.Stalled()) continue;
    kill(pid, SIGKILL);
    return true;
  }
}

}  // namespace

std::string FilterEnd::ToString() const {
  if (stalled) return "made no progress and was killed";
  return state.ToString();
}

Result<FilterEnd> RunFilter(const std::vector<std::string>& argv, const std::string& output,
                            milliseconds stall, CaptureLog& log, Watchdog& watchdog) {
  log.Say("running: {}", JoinWords(argv));
  Pipe pipe = TRY(MakePipe());
  // Without /dev the child keeps our own stdin, which is no reason to lose a dump.
  UniqueFd nothing = OpenFile("/dev/null", O_RDONLY).value_or(UniqueFd());
  SpawnOptions options{nothing.get(), pipe.write_end.get(), pipe.write_end.get()};
  ChildProcess child = TRY(ChildProcess::Spawn(argv, options));
  pipe.write_end.reset();
  Progress progress(output, stall, watchdog);
  bool stalled =
      Follow(pipe.read_end.get(), child.pid(), std::min(stall, kPollInterval), progress, log);
  FilterEnd end{TRY(child.Wait(stall)), stalled};
  end.stalled |= end.state.timed_out;
  return end;
}

}  // namespace kdumpkit
