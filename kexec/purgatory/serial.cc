// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/purgatory/serial.h"

#include "kexec/purgatory/machine.h"

namespace kdumpkit::purgatory {
namespace {

constexpr uint16_t kLineStatus = 5;  // register of the UART, and bits in it
constexpr uint8_t kTakesAByte = 0x20;
constexpr uint8_t kHasSentAll = 0x40;
// One poll takes about a microsecond on a real bus; a byte at 300 baud takes 33 ms.
constexpr int kPollsMost = 200'000;

bool WaitFor(uint8_t bit, uint16_t port) {
  for (int i = 0; i < kPollsMost; ++i)
    if ((ReadPort(static_cast<uint16_t>(port + kLineStatus)) & bit) != 0) return true;
  return false;
}

}  // namespace

bool Serial::Ready(uint8_t bit) {
  if (port_ != 0 && !WaitFor(bit, port_)) port_ = 0;
  return port_ != 0;
}

void Serial::Byte(char byte) {
  if (Ready(kTakesAByte)) WritePort(port_, static_cast<uint8_t>(byte));
}

void Serial::Text(const char* text) {
  for (; *text != '\0'; ++text) Byte(*text);
}

void Serial::Hex(uint64_t value) {
  Text("0x");
  int shift = 60;
  while (shift > 0 && value >> shift == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) Byte("0123456789abcdef"[value >> shift & 15]);
}

void Serial::Decimal(uint64_t value) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  while (count > 0) Byte(digits[--count]);
}

void Serial::EndLine() {
  Text("\r\n");
  Ready(kHasSentAll);
}

}  // namespace kdumpkit::purgatory
