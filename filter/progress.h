// SPDX-License-Identifier: GPL-2.0-or-later
// Progress for people: one line that rewrites itself on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace kdumpkit {

// "[ 42.0 %] 1234/2938 pages  812 MB/s  ETA 0:12"
std::string ProgressLine(uint64_t done, uint64_t total, uint64_t page_size,
                         std::chrono::duration<double> elapsed);

// Writes to a descriptor at most once a second; used by one thread at a time.
class Progress {
 public:
  // fd -1 makes it silent. Whether it is a terminal is found out here.
  Progress(int fd, uint64_t total_pages, uint64_t page_size);
  void Update(uint64_t done_pages);
  // The last line, always shown.
  void Finish(uint64_t done_pages);

 private:
  using Clock = std::chrono::steady_clock;
  void Show(uint64_t done_pages, bool last);

  int fd_;
  bool terminal_;
  uint64_t total_;
  uint64_t page_size_;
  Clock::time_point start_;
  Clock::time_point last_shown_;
};

}  // namespace kdumpkit
