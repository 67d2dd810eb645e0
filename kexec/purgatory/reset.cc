// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/purgatory/reset.h"

#include "kexec/purgatory/delay.h"
#include "kexec/purgatory/machine.h"

namespace kdumpkit::purgatory {
namespace {

// The chipset's reset control register (Intel ICH and PIIX data sheets, AMD's alike): bit 1 says
// that the whole system is meant, the rising edge of bit 2 does it.
constexpr uint16_t kResetControl = 0xcf9;
constexpr uint8_t kWholeSystem = 0x02;
constexpr uint8_t kResetNow = 0x04;

// The keyboard controller (8042) can pulse the reset line.
constexpr uint16_t kKeyboardStatus = 0x64;
constexpr uint8_t kKeyboardBusy = 0x02;
constexpr uint8_t kPulseReset = 0xfe;
constexpr int kKeyboardPolls = 10'000;

// How long a reset may take to happen.
constexpr uint32_t kGraceMilliseconds = 100;

void ResetByChipset(Delay& delay) {
  WritePort(kResetControl, kWholeSystem);
  delay.Milliseconds(10);
  WritePort(kResetControl, kWholeSystem | kResetNow);
  delay.Milliseconds(kGraceMilliseconds);
}

void ResetByKeyboardController(Delay& delay) {
  for (int i = 0; i < kKeyboardPolls; ++i)
    if ((ReadPort(kKeyboardStatus) & kKeyboardBusy) == 0) break;
  WritePort(kKeyboardStatus, kPulseReset);
  delay.Milliseconds(kGraceMilliseconds);
}

void Announce(int32_t seconds, Serial& serial) {
  serial.Text("kdumpkit purgatory: the machine ");
  if (seconds == 0) {
    serial.Text("stops here; reset it by hand");
  } else if (seconds < 0) {
    serial.Text("is reset now");
  } else {
    serial.Text("is reset in ");
    serial.Decimal(static_cast<uint64_t>(seconds));
    serial.Text(seconds == 1 ? " second" : " seconds");
  }
  serial.EndLine();
}

}  // namespace

void ResetAfter(int32_t seconds, Serial& serial) {
  Announce(seconds, serial);
  if (seconds == 0) return;
  Delay delay;
  for (int32_t i = 0; i < seconds; ++i) delay.Milliseconds(1000);
  ResetByChipset(delay);
  ResetByKeyboardController(delay);
  TripleFault();
}

}  // namespace kdumpkit::purgatory
