// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/purgatory/delay.h"

#include "kexec/purgatory/machine.h"

namespace kdumpkit::purgatory {
namespace {

constexpr uint16_t kTimerChannel2 = 0x42;
constexpr uint16_t kTimerCommand = 0x43;
// Channel 2, low byte then high byte, mode 0: the output is low until the end of the count.
constexpr uint8_t kCountOnce = 0xb0;
constexpr uint32_t kTicksAMillisecond = 1193;  // of 1193182 Hz

constexpr uint16_t kSystemControl = 0x61;  // port B of a PC
constexpr uint8_t kGate2 = 0x01;           // lets channel 2 count
constexpr uint8_t kSpeaker = 0x02;
constexpr uint8_t kOutput2 = 0x20;  // read only

constexpr uint16_t kDiagnostics = 0x80;
constexpr uint32_t kWritesAMillisecond = 1000;

constexpr uint32_t kStepMost = 50;  // milliseconds, for a counter of 16 bits
// Polls that take longer than a step by far, however fast the bus is.
constexpr int kPollsMost = 5'000'000;

bool Output() { return (ReadPort(kSystemControl) & kOutput2) != 0; }

// False when the timer does not behave like one: the output has to be low at first (where there is
// no timer all bits read as ones) and to rise (chipsets can take away its clock).
bool CountByTimer(uint32_t milliseconds) {
  uint32_t ticks = milliseconds * kTicksAMillisecond;
  uint8_t control = ReadPort(kSystemControl);
  WritePort(kSystemControl, static_cast<uint8_t>((control & ~kSpeaker) | kGate2));
  WritePort(kTimerCommand, kCountOnce);
  WritePort(kTimerChannel2, static_cast<uint8_t>(ticks));
  WritePort(kTimerChannel2, static_cast<uint8_t>(ticks >> 8));
  if (Output()) return false;
  for (int i = 0; i < kPollsMost; ++i)
    if (Output()) return true;
  return false;
}

void CountByWrites(uint32_t milliseconds) {
  for (uint32_t i = 0; i < milliseconds * kWritesAMillisecond; ++i) WritePort(kDiagnostics, 0);
}

}  // namespace

void Delay::Milliseconds(uint32_t count) {
  while (count != 0) {
    uint32_t step = count < kStepMost ? count : kStepMost;
    timer_works_ = timer_works_ && CountByTimer(step);
    if (!timer_works_) CountByWrites(step);
    count -= step;
  }
}

}  // namespace kdumpkit::purgatory
