// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dmesg.h"

#include <utility>

namespace kdumpkit {
namespace {

constexpr size_t kLastLines = 80;
// Of a damaged log a line may be of any length.
constexpr size_t kMaxLine = 1024;

// Without the time before it, "[   12.345678] ".
std::string_view Message(std::string_view line) {
  if (!line.starts_with('[')) return line;
  size_t end = line.find("] ");
  return end == std::string_view::npos ? line : line.substr(end + 2);
}

bool IsOops(std::string_view message) {
  // Each architecture has its own words; these are the beginnings of the common ones.
  constexpr std::string_view kBeginnings[] = {"BUG: ",
                                              "Oops: ",
                                              "kernel BUG at ",
                                              "general protection fault",
                                              "Unable to handle kernel",
                                              "Internal error: ",
                                              "watchdog: BUG: "};
  for (std::string_view beginning : kBeginnings)
    if (message.starts_with(beginning)) return true;
  return false;
}

}  // namespace

void DmesgReader::Feed(ByteView bytes) {
  for (char c : AsText(bytes)) {
    if (c == '\n') {
      TakeLine();
    } else if (line_.size() < kMaxLine) {
      line_ += c;
    }
  }
}

void DmesgReader::End() {
  if (!line_.empty()) TakeLine();
}

void DmesgReader::TakeLine() {
  constexpr std::string_view kVersion = "Linux version ";
  constexpr std::string_view kPanic = "Kernel panic - not syncing: ";
  std::string_view message = Message(line_);
  if (message.starts_with(kVersion)) {
    std::string_view rest = message.substr(kVersion.size());
    release_ = rest.substr(0, rest.find(' '));
  }
  if (panic_.empty() && message.starts_with(kPanic)) panic_ = message.substr(kPanic.size());
  if (oops_.empty() && IsOops(message)) oops_ = message;
  tail_.push_back(std::exchange(line_, {}));
  if (tail_.size() > kLastLines) tail_.pop_front();
}

}  // namespace kdumpkit
