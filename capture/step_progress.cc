// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/step_progress.h"

namespace kdumpkit {

std::string StepProgressLine(std::string_view what, uint64_t done, uint64_t total,
                             std::chrono::duration<double> elapsed) {
  double fraction = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
  std::string line = fmt::format("[{:5.1f} %] {}", fraction * 100, what);
  if (done == 0 || done >= total) return line;
  auto eta = static_cast<uint64_t>(elapsed.count() * (1 - fraction) / fraction + 0.5);
  return line + fmt::format("  ETA {}:{:02}", eta / 60, eta % 60);
}

void StepProgress::Update(uint64_t done) {
  constexpr std::chrono::seconds kInterval{5};
  Clock::time_point now = Clock::now();
  if (now - shown_ < kInterval) return;
  shown_ = now;
  log_.Console(StepProgressLine(what_, done, total_, now - start_));
}

}  // namespace kdumpkit
