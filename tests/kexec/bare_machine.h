// SPDX-License-Identifier: GPL-2.0-or-later
// The machine below purgatory, as far as it touches it: a UART, an interval timer, and the ports
// that reset. It stands for kexec/purgatory/machine.cc; the newest one alive is the one used.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kdumpkit {

class BareMachine {
 public:
  enum class Uart {
    kWorks,
    kAbsent,      // the bus answers with ones, as where nothing is
    kStuck,       // never ready
    kStuckLater,  // no longer ready after 10 bytes
  };
  enum class Timer { kWorks, kAbsentOnes, kAbsentZeros };

  BareMachine();
  ~BareMachine();
  BareMachine(const BareMachine&) = delete;
  BareMachine& operator=(const BareMachine&) = delete;

  uint8_t Read(uint16_t port);
  void Write(uint16_t port, uint8_t value);

  Uart uart = Uart::kWorks;
  uint16_t uart_port = 0x3f8;
  Timer timer = Timer::kWorks;
  bool keyboard_busy = false;

  std::string serial;               // what the UART sent
  std::vector<std::string> events;  // "cf9=02", "64=fe", "triple fault"
  uint64_t milliseconds = 0;        // counted by the timer, rounded per count
  uint64_t diagnostic_writes = 0;   // to port 0x80
  uint64_t reads = 0;               // of any port
  std::vector<uint16_t> others;     // ports written to that mean nothing here
  bool lost = false;                // a byte was written too early, or a reset cut one off

 private:
  uint8_t LineStatus();
  void Send(uint8_t byte);
  uint8_t SystemControl();
  void WriteTimer(uint8_t value);

  uint8_t control_ = 0x08;  // bits 0 to 3 of port 0x61
  int timer_bytes_ = 0;     // of the count, since the command
  uint32_t ticks_ = 0;
  int polls_left_ = 0;
  int sending_ = 0;  // polls until the last byte is on the line
};

}  // namespace kdumpkit
