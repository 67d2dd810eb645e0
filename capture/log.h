// SPDX-License-Identifier: GPL-2.0-or-later
// What kdump-capture says: every line on the console, and the same in capture.log beside the dump.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace kdumpkit {

class CaptureLog {
 public:
  // `console_fd` is borrowed. `uptime` gives the time before each line of the file.
  CaptureLog(int console_fd, std::function<std::chrono::milliseconds()> uptime)
      : console_fd_(console_fd), uptime_(std::move(uptime)) {}

  // "kdump: …" on the console, "[    1.234] …" in the file, where it is on its device on return.
  template <typename... Args>
  void Say(fmt::format_string<Args...> format, Args&&... args) {
    Line(fmt::format(format, std::forward<Args>(args)...));
  }
  void Line(std::string_view text);
  // Only on the console: after the file was closed, or what is in a file of its own.
  void Console(std::string_view text);
  // A child's output, as it came; it reaches the device with the next line.
  void Raw(std::string_view text);

  // From now on lines go to this file too; it begins with all that was said before. There may be
  // one after another.
  Status Open(const std::string& path);
  void Close();
  // All that was said so far, for a place that is not a file; of much the middle is cut out.
  const std::string& text() const { return text_; }

 private:
  void Keep(std::string_view text);

  int console_fd_;
  std::function<std::chrono::milliseconds()> uptime_;
  UniqueFd file_;
  bool file_failed_ = false;
  bool mid_line_ = false;  // a child's output ended without a newline
  std::string text_;       // bounded
};

// "55.1 MiB"
std::string SizeText(uint64_t bytes);

}  // namespace kdumpkit
