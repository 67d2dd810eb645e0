// SPDX-License-Identifier: GPL-2.0-or-later
// Runs the dump filter as a child. It may be killed for memory or die on a corrupt structure; the
// capture lives on.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/process.h"
#include "capture/log.h"
#include "capture/watchdog.h"

namespace kdumpkit {

// Exit statuses of kdump-filter(8) that are not failures of one kind or another.
inline constexpr int kFilterComplete = 0;
inline constexpr int kFilterUsage = 2;
inline constexpr int kFilterPartial = 3;

struct FilterEnd {
  ExitState state;
  bool stalled = false;  // killed because nothing moved any more

  bool complete() const { return state.ok() && state.status == kFilterComplete; }
  bool partial() const { return state.signal == 0 && state.status == kFilterPartial; }
  std::string ToString() const;
};

// Runs `argv`; its stdout and stderr go to the log. The child is killed when for `stall` it has
// neither written to them nor to `output` or `output`-incomplete. Error: it cannot be started.
Result<FilterEnd> RunFilter(const std::vector<std::string>& argv, const std::string& output,
                            std::chrono::milliseconds stall, CaptureLog& log, Watchdog& watchdog);

}  // namespace kdumpkit
