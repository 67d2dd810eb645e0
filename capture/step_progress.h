// SPDX-License-Identifier: GPL-2.0-or-later
// How far a long step of ours has got, on the console: a step that says nothing looks like one that
// hangs.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "capture/log.h"

namespace kdumpkit {

// "[ 12.3 %] reading the dump back  ETA 1:07".
std::string StepProgressLine(std::string_view what, uint64_t done, uint64_t total,
                             std::chrono::duration<double> elapsed);

class StepProgress {
 public:
  // `log` is borrowed.
  StepProgress(std::string what, uint64_t total, CaptureLog& log)
      : what_(std::move(what)), total_(total), log_(log) {}

  // A line every five seconds at most.
  void Update(uint64_t done);

 private:
  using Clock = std::chrono::steady_clock;

  std::string what_;
  uint64_t total_;
  CaptureLog& log_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point shown_ = start_;
};

}  // namespace kdumpkit
