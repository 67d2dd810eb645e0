// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a short command to its end: it is given its input and the time that it may take, and cannot
// hang the capture, whatever it does with its descriptors and children.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/process.h"
#include "capture/watchdog.h"

namespace kdumpkit {

struct CommandRequest {
  std::vector<std::string> argv;
  ByteView input = {};                        // its stdin; borrowed
  std::vector<std::string> environment = {};  // "NAME=value", in addition to ours
  // Past this time it is killed, with all that it has started.
  std::chrono::milliseconds limit{60'000};
  size_t output_limit = size_t{1} << 20;  // bytes of stdout that are kept, and as many of stderr
  // When set, gets what the command prints on both, as it comes; nothing is kept then.
  std::function<void(std::string_view)> show = nullptr;
};

struct CommandEnd {
  ExitState state;  // timed_out: it was killed for that
  std::string output;
  std::string errors;        // what it said on stderr
  bool output_cut = false;   // it printed more than output_limit
  bool input_taken = false;  // all of the input
};

// What it started in the background lives on. Error: it cannot be started.
Result<CommandEnd> RunCommand(const CommandRequest& request, Watchdog& watchdog);

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};
Result<Pipe> MakePipe();

// Two ends of a stream, of which one may be a child's stdin: written to by send(2), so that a child
// that is gone is an error and no signal.
struct SocketPair {
  UniqueFd ours;
  UniqueFd theirs;
};
Result<SocketPair> MakeSocketPair();

// Sends what goes without waiting; 0 when nothing does. EPIPE: nobody reads any more.
Result<size_t> SendSome(int fd, ByteView bytes);

}  // namespace kdumpkit
