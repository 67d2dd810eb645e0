// SPDX-License-Identifier: GPL-2.0-or-later
// Reads along while the dead kernel's log is saved: its last lines, which kernel it was, and why it
// panicked.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace kdumpkit {

class DmesgReader {
 public:
  // The next bytes of the log.
  void Feed(ByteView bytes);
  // Nothing more comes.
  void End();

  // The last lines, at most 80: the trace after the line that says why it panicked has some 50.
  const std::deque<std::string>& tail() const { return tail_; }
  // "6.1.0-18-amd64"; empty when the log does not say so.
  const std::string& release() const { return release_; }
  // What stands behind "Kernel panic - not syncing: ", or the first line of an oops; may be empty.
  const std::string& panic() const { return panic_.empty() ? oops_ : panic_; }

 private:
  void TakeLine();

  std::string line_;
  std::deque<std::string> tail_;
  std::string release_;
  std::string panic_;
  std::string oops_;
};

}  // namespace kdumpkit
