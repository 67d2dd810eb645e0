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
#include "capture/command.h"
#include "config/statement.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// A killed child that does not go away hangs in the kernel; then the watchdog ends the capture.
constexpr std::chrono::seconds kGrace{60};
constexpr milliseconds kPollInterval{1000};
constexpr size_t kPiece = size_t{64} << 10;

int64_t ChangeTime(const std::string& path) {
  struct stat file = {};
  if (path.empty() || stat(path.c_str(), &file) != 0) return 0;
  return int64_t{file.st_mtim.tv_sec} * 1'000'000'000 + file.st_mtim.tv_nsec;
}

// A child at work: reads its output, and knows when it last did something that can be seen.
class Follower {
 public:
  Follower(const FilterRun& run, const CaptureContext& context)
      : run_(run),
        context_(context),
        stall_(context.config.stall_timeout),
        incomplete_(run.output.empty() ? "" : run.output + "-incomplete"),
        piece_(run.sink ? kPiece : 4096) {
    Note();
  }

  // Until the child has closed its outputs or had to be killed.
  void Follow(int messages, int stream, pid_t pid, FilterEnd& end) {
    pollfd entries[] = {{messages, POLLIN, 0}, {stream, POLLIN, 0}};
    while (entries[0].fd >= 0 || entries[1].fd >= 0) {
      int n = poll(entries, std::size(entries), Tick());
      if (n > 0)
        Read(
            entries[0], [this](ByteView bytes) { return Say(bytes); }, end);
      if (n > 0) Read(entries[1], run_.sink, end);
      LookAround();
      end.stalled = !end.sink_failed && Clock::now() - last_ > stall_;
      if (!end.stalled && !end.sink_failed) continue;
      kill(pid, SIGKILL);
      return;
    }
  }

 private:
  int Tick() const { return static_cast<int>(std::min(stall_, kPollInterval).count()); }

  void Note() {
    last_ = Clock::now();
    context_.Begin("kdump-filter", kGrace);
  }

  void LookAround() {
    context_.memory.Sample();
    int64_t change = std::max(ChangeTime(run_.output), ChangeTime(incomplete_));
    if (std::exchange(change_, change) != change) Note();
  }

  Status Say(ByteView bytes) {
    context_.log.Raw(AsText(bytes));
    return {};
  }

  // Takes what is there; at the end of the output the entry is switched off.
  template <typename Sink>
  void Read(pollfd& entry, const Sink& sink, FilterEnd& end) {
    if (entry.fd < 0 || entry.revents == 0) return;
    ssize_t n = read(entry.fd, piece_.data(), piece_.size());
    if (n < 0 && errno == EINTR) return;
    if (n <= 0) {
      entry.fd = -1;
      return;
    }
    Status taken = sink(ByteView(piece_).first(static_cast<size_t>(n)));
    if (!taken) end.sink_failed = taken.error();
    Note();
  }

  const FilterRun& run_;
  const CaptureContext& context_;
  milliseconds stall_;
  std::string incomplete_;
  ByteBuffer piece_;
  Clock::time_point last_;
  int64_t change_ = 0;
};

}  // namespace

std::string FilterEnd::ToString() const {
  if (sink_failed) return sink_failed->message();
  if (stalled || state.timed_out) return "made no progress and was killed";
  return state.ToString();
}

Result<FilterEnd> RunFilter(const FilterRun& run, const CaptureContext& context) {
  context.log.Say("running: {}", JoinWords(run.argv));
  Pipe messages = TRY(MakePipe());
  Pipe stream;
  if (run.sink) stream = TRY(MakePipe());
  // Without /dev the child keeps our own stdin, which is no reason to lose a dump.
  UniqueFd nothing = OpenFile("/dev/null", O_RDONLY).value_or(UniqueFd());
  const Pipe& output = run.sink ? stream : messages;
  SpawnOptions options;
  options.stdin_fd = nothing.get();
  options.stdout_fd = output.write_end.get();
  options.stderr_fd = messages.write_end.get();
  ChildProcess child = TRY(ChildProcess::Spawn(run.argv, options));
  messages.write_end.reset();
  stream.write_end.reset();
  FilterEnd end;
  Follower(run, context).Follow(messages.read_end.get(), stream.read_end.get(), child.pid(), end);
  // A child that closed its output has still to end.
  end.state = TRY(child.Wait(context.config.stall_timeout));
  end.stalled |= end.state.timed_out;
  return end;
}

}  // namespace kdumpkit
