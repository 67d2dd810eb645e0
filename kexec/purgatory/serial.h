// SPDX-License-Identifier: GPL-2.0-or-later
// Text on a serial port (8250 and its successors), polled. The port is used as the dead kernel
// left it: its speed is what the other end listens to.
#pragma once

#include <cstdint>

namespace kdumpkit::purgatory {

class Serial {
 public:
  // 0: nothing is written anywhere.
  explicit Serial(uint16_t port) : port_(port) {}

  void Text(const char* text);
  void Hex(uint64_t value);  // with 0x
  void Decimal(uint64_t value);
  // Also waits until all is sent: a reset or the new kernel may be next.
  void EndLine();

 private:
  // Waits for the bit of the line status. A port that takes too long is given up.
  bool Ready(uint8_t bit);
  void Byte(char byte);

  uint16_t port_;
};

}  // namespace kdumpkit::purgatory
