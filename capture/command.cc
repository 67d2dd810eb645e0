// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/file.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// A killed child that does not go away hangs in the kernel; then the watchdog ends the capture.
constexpr milliseconds kGrace{60'000};
// Reads of 4 KiB after the end; a pipe holds 16 of them.
constexpr int kMaxDrain = 64;

// One of the command's outputs.
class Output {
 public:
  Output(UniqueFd fd, const CommandRequest& request)
      : fd_(std::move(fd)), limit_(request.output_limit), show_(request.show) {}

  int fd() const { return fd_.get(); }
  const std::string& text() const { return text_; }
  bool cut() const { return cut_; }

  // Takes what there is; closes at the end. Called when there is something to read.
  void Take() {
    char buffer[4096];
    ssize_t n = read(fd_.get(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) return;
    if (n <= 0) return fd_.reset();
    Keep({buffer, static_cast<size_t>(n)});
  }
  // Takes the rest, but does not wait for more: what the command left running may have it open.
  void Drain() {
    pollfd entry{fd(), POLLIN, 0};
    for (int i = 0; i < kMaxDrain && fd_.valid() && poll(&entry, 1, 0) > 0; ++i) Take();
  }

 private:
  void Keep(std::string_view text) {
    if (show_) return show_(text);
    cut_ |= text.size() > limit_ - text_.size();
    text_ += text.substr(0, limit_ - text_.size());
  }

  UniqueFd fd_;
  size_t limit_;
  std::function<void(std::string_view)> show_;
  std::string text_;
  bool cut_ = false;
};

// A command that runs, and the ends of its descriptors.
class Running {
 public:
  static Result<Running> Start(const CommandRequest& request);
  // Until it has ended (true) or `deadline` has passed.
  bool Follow(Clock::time_point deadline);
  Result<CommandEnd> End(bool ended);

 private:
  Running(ChildProcess child, UniqueFd end, UniqueFd input, ByteView bytes, Output output,
          Output errors)
      : child_(std::move(child)),
        end_(std::move(end)),
        input_(std::move(input)),
        left_(bytes),
        output_(std::move(output)),
        errors_(std::move(errors)) {}
  void Feed();

  ChildProcess child_;
  UniqueFd end_;
  UniqueFd input_;
  ByteView left_;
  Output output_;
  Output errors_;
};

// Nothing to say is /dev/null, which scripts can open again by name.
Result<SocketPair> MakeInput(ByteView input) {
  if (!input.empty()) return MakeSocketPair();
  Result<UniqueFd> nothing = OpenFile("/dev/null", O_RDONLY);
  if (!nothing) return MakeSocketPair();
  return SocketPair{UniqueFd(), std::move(*nothing)};
}

Result<Running> Running::Start(const CommandRequest& request) {
  SocketPair input = TRY(MakeInput(request.input));
  Pipe output = TRY(MakePipe());
  Pipe errors = TRY(MakePipe());
  SpawnOptions options{input.theirs.get(), output.write_end.get(), errors.write_end.get(),
                       request.environment, true};
  ChildProcess child = TRY(ChildProcess::Spawn(request.argv, options));
  UniqueFd end = TRY(child.EndDescriptor());
  return Running(std::move(child), std::move(end), std::move(input.ours), request.input,
                 Output(std::move(output.read_end), request),
                 Output(std::move(errors.read_end), request));
}

// Closes its stdin when it has all, or wants no more.
void Running::Feed() {
  if (!left_.empty()) {
    Result<size_t> sent = SendSome(input_.get(), left_);
    if (!sent) return input_.reset();
    left_ = left_.subspan(*sent);
  }
  if (left_.empty()) input_.reset();
}

bool Running::Follow(Clock::time_point deadline) {
  if (left_.empty()) input_.reset();
  for (;;) {
    auto wait = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (wait.count() <= 0) return false;
    // poll passes over negative descriptors.
    std::array<pollfd, 4> entries = {pollfd{end_.get(), POLLIN, 0}, pollfd{output_.fd(), POLLIN, 0},
                                     pollfd{errors_.fd(), POLLIN, 0},
                                     pollfd{input_.get(), POLLOUT, 0}};
    int n = poll(entries.data(), entries.size(),
                 static_cast<int>(std::min<int64_t>(wait.count(), 1 << 30)));
    if (n < 0 && errno != EINTR) return false;
    if (n <= 0) continue;
    if (entries[1].revents != 0) output_.Take();
    if (entries[2].revents != 0) errors_.Take();
    if (entries[3].revents != 0) Feed();
    if (entries[0].revents != 0) return true;
  }
}

Result<CommandEnd> Running::End(bool ended) {
  CommandEnd end;
  end.state = TRY(child_.Wait(ended ? kGrace : milliseconds(0)));
  output_.Drain();
  errors_.Drain();
  end.output = output_.text();
  end.errors = errors_.text();
  end.output_cut = output_.cut();
  end.input_taken = left_.empty();
  return end;
}

}  // namespace

Result<CommandEnd> RunCommand(const CommandRequest& request, Watchdog& watchdog) {
  watchdog.Expect(fmt::format("running {}", request.argv.front()), request.limit + kGrace);
  Running command = TRY(Running::Start(request));
  return command.End(command.Follow(Clock::now() + request.limit));
}

Result<Pipe> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return SystemError(errno, "cannot create a pipe");
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Result<SocketPair> MakeSocketPair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    return SystemError(errno, "cannot create a pair of sockets");
  return SocketPair{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Result<size_t> SendSome(int fd, ByteView bytes) {
  ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n >= 0) return static_cast<size_t>(n);
  if (errno == EAGAIN || errno == EINTR) return size_t{0};
  return SystemError(errno, fmt::format("writing {} bytes", bytes.size()));
}

}  // namespace kdumpkit
