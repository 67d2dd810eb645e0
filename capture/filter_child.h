// SPDX-License-Identifier: GPL-2.0-or-later
// Runs the dump filter (or another collector) as a child. It may be killed for memory or die on a
// corrupt structure; the capture lives on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/process.h"
#include "capture/context.h"

namespace kdumpkit {

// Exit statuses of kdump-filter(8) that are not failures of one kind or another.
inline constexpr int kFilterComplete = 0;
inline constexpr int kFilterUsage = 2;
inline constexpr int kFilterPartial = 3;

struct FilterRun {
  std::vector<std::string> argv;
  // A file that grows while the child works, itself or with "-incomplete" behind its name; empty:
  // none.
  std::string output;
  // Takes what the child writes to its standard output, piece by piece; null: that is said in the
  // log, as standard error always is. When it fails the child is killed.
  std::function<Status(ByteView)> sink;
};

struct FilterEnd {
  ExitState state;
  bool stalled = false;              // killed because nothing moved any more
  std::optional<Error> sink_failed;  // killed because its output could not be kept

  bool complete() const { return ended() && state.status == kFilterComplete; }
  bool partial() const { return ended() && state.status == kFilterPartial; }
  std::string ToString() const;

 private:
  bool ended() const { return !stalled && !sink_failed && !state.timed_out && state.signal == 0; }
};

// The child is killed when for config.stall_timeout it has written nothing, neither to us nor to
// its file. Error: it cannot be started.
Result<FilterEnd> RunFilter(const FilterRun& run, const CaptureContext& context);

}  // namespace kdumpkit
