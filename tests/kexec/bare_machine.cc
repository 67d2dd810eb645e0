// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/kexec/bare_machine.h"

#include <fmt/format.h>

#include <cstring>

#include "kexec/purgatory/machine.h"

namespace kdumpkit {
namespace {

BareMachine* current = nullptr;

constexpr int kPollsACount = 3;  // until the timer's output rises
constexpr int kPollsASend = 8;   // until a byte is on the line; the next is taken at half of it

}  // namespace

BareMachine::BareMachine() { current = this; }
BareMachine::~BareMachine() { current = nullptr; }

uint8_t BareMachine::LineStatus() {
  if (uart == Uart::kAbsent) return 0xff;
  bool stuck = uart == Uart::kStuck || (uart == Uart::kStuckLater && serial.size() >= 10);
  if (stuck) return 0x00;
  if (sending_ > 0) --sending_;
  return sending_ == 0 ? 0x60 : sending_ < kPollsASend / 2 ? 0x20 : 0x00;
}

void BareMachine::Send(uint8_t byte) {
  if (uart == Uart::kAbsent) return;
  lost = lost || sending_ >= kPollsASend / 2;
  serial += static_cast<char>(byte);
  sending_ = kPollsASend;
}

uint8_t BareMachine::SystemControl() {
  if (timer == Timer::kAbsentOnes) return 0xff;
  if (timer == Timer::kAbsentZeros) return 0x00;
  bool counting = timer_bytes_ == 2 && polls_left_ > 0;
  if (counting) --polls_left_;
  // Before a count the output is as the last one left it, as QEMU has it; a real one is low.
  return static_cast<uint8_t>(control_ | (counting ? 0x00 : 0x20));
}

void BareMachine::WriteTimer(uint8_t value) {
  ticks_ |= uint32_t{value} << (8 * timer_bytes_);
  // Without the gate it does not count.
  if (++timer_bytes_ < 2 || (control_ & 1) == 0) return;
  milliseconds += (ticks_ + 596) / 1193;
  polls_left_ = kPollsACount;
}

uint8_t BareMachine::Read(uint16_t port) {
  ++reads;
  if (port == uart_port + 5) return LineStatus();
  if (port == 0x61) return SystemControl();
  if (port == 0x64) return keyboard_busy ? 0x02 : 0x00;
  return 0xff;
}

void BareMachine::Write(uint16_t port, uint8_t value) {
  if (port == uart_port) {
    Send(value);
  } else if (port == 0x61) {
    control_ = value & 0x0f;
  } else if (port == 0x43) {
    timer_bytes_ = value == 0xb0 ? 0 : 2;
    ticks_ = 0;
  } else if (port == 0x42) {
    WriteTimer(value);
  } else if (port == 0x80) {
    ++diagnostic_writes;
  } else if (port == 0xcf9 || port == 0x64) {
    events.push_back(fmt::format("{:x}={:02x}", port, value));
    lost = lost || sending_ != 0;
  } else {
    others.push_back(port);
  }
}

namespace purgatory {

uint8_t ReadPort(uint16_t port) { return current->Read(port); }
void WritePort(uint16_t port, uint8_t value) { current->Write(port, value); }
void TripleFault() { current->events.push_back("triple fault"); }

void CopyMemory(uint64_t destination, uint64_t source, uint64_t size) {
  if (size != 0)
    std::memcpy(reinterpret_cast<void*>(destination), reinterpret_cast<const void*>(source), size);
}

}  // namespace purgatory
}  // namespace kdumpkit
