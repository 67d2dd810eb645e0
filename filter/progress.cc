// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/progress.h"

#include <unistd.h>

#include "base/file.h"

namespace kdumpkit {
namespace {

// A log that is not a terminal (a serial console, capture.log) gets a line this often.
constexpr std::chrono::seconds kPlainInterval{5};
constexpr std::chrono::seconds kTerminalInterval{1};

}  // namespace

std::string ProgressLine(uint64_t done, uint64_t total, uint64_t page_size,
                         std::chrono::duration<double> elapsed) {
  double fraction = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
  std::string line = fmt::format("[{:5.1f} %] {}/{} pages", fraction * 100, done, total);
  double seconds = elapsed.count();
  if (seconds <= 0 || done == 0) return line;
  double rate = static_cast<double>(done) * static_cast<double>(page_size) / seconds;
  line += fmt::format("  {:.0f} MB/s", rate / 1e6);
  if (done < total) {
    auto eta = static_cast<uint64_t>(seconds * (1 - fraction) / fraction + 0.5);
    line += fmt::format("  ETA {}:{:02}", eta / 60, eta % 60);
  }
  return line;
}

Progress::Progress(int fd, uint64_t total_pages, uint64_t page_size)
    : fd_(fd),
      terminal_(fd >= 0 && isatty(fd) != 0),
      total_(total_pages),
      page_size_(page_size),
      start_(Clock::now()),
      last_shown_(start_) {}

void Progress::Update(uint64_t done_pages) {
  if (fd_ < 0) return;
  if (Clock::now() - last_shown_ >= (terminal_ ? kTerminalInterval : kPlainInterval))
    Show(done_pages, false);
}

void Progress::Finish(uint64_t done_pages) {
  if (fd_ >= 0) Show(done_pages, true);
}

void Progress::Show(uint64_t done_pages, bool last) {
  last_shown_ = Clock::now();
  std::string line = ProgressLine(done_pages, total_, page_size_, last_shown_ - start_);
  // "ESC [K" clears what a longer earlier line left.
  if (terminal_) line = "\r" + line + "\x1b[K" + (last ? "\n" : "");
  if (!terminal_) line += "\n";
  // A lost progress line is no reason to lose a dump.
  (void)WriteFully(fd_, AsBytes(line));
}

}  // namespace kdumpkit
