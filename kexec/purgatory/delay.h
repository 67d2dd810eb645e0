// SPDX-License-Identifier: GPL-2.0-or-later
// Time without interrupts, calibration or a running timer.
#pragma once

#include <cstdint>

namespace kdumpkit::purgatory {

// Counts by channel 2 of the interval timer (8254), which nothing else needs by now. Where there
// is none, by writes to the port for diagnostics, which take about a microsecond each on a real
// bus and longer on an emulated one.
class Delay {
 public:
  void Milliseconds(uint32_t count);

 private:
  bool timer_works_ = true;  // until it was seen not to
};

}  // namespace kdumpkit::purgatory
