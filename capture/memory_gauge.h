// SPDX-License-Identifier: GPL-2.0-or-later
// How little memory was left in the capture kernel, for the manifest: the figure by which
// crashkernel= is chosen.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/file.h"

namespace kdumpkit {

class MemoryGauge {
 public:
  // `root` is borrowed.
  explicit MemoryGauge(const RootDir& root) : root_(root) {}

  // Looks at /proc/meminfo, at most once a second however often it is called.
  void Sample();
  // In bytes; 0 when not known.
  uint64_t total() const { return total_; }
  uint64_t lowest_available() const { return lowest_.value_or(0); }

 private:
  const RootDir& root_;
  uint64_t total_ = 0;
  std::optional<uint64_t> lowest_;
  std::optional<std::chrono::steady_clock::time_point> last_;
};

}  // namespace kdumpkit
