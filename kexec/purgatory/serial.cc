// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/purgatory/serial.h"

#include "kexec/purgatory/machine.h"

namespace kdumpkit::purgatory {
namespace {

constexpr uint16_t kLineStatus = 5;          // register of the UART
constexpr uint8_t kTransmitterEmpty = 0x20;  // in it
// One poll takes about a microsecond on a real bus; a byte at 300 baud takes 33 ms.
constexpr int kPollsMost = 200'000;

bool WaitUntilEmpty(uint16_t port) {
  for (int i = 0; i < kPollsMost; ++i)
    if ((ReadPort(static_cast<uint16_t>(port + kLineStatus)) & kTransmitterEmpty) != 0) return true;
  return false;
}

}  // namespace

void Serial::Byte(char byte) {
  if (port_ == 0) return;
  if (WaitUntilEmpty(port_))
    WritePort(port_, static_cast<uint8_t>(byte));
  else
    port_ = 0;
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

void Serial::EndLine() { Text("\r\n"); }

}  // namespace kdumpkit::purgatory
