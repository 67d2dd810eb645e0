// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/purgatory/main.h"

#include "kexec/purgatory/check.h"
#include "kexec/purgatory/machine.h"
#include "kexec/purgatory/reset.h"

namespace kdumpkit::purgatory {
namespace {

// Arguments that were overwritten may name any port and any time. Only a usual port is written to,
// and a wait longer than this many seconds is not believed.
constexpr int32_t kWaitMost = 60;

uint16_t UsualPort(uint32_t port) {
  bool usual = port == 0x3f8 || port == 0x2f8 || port == 0x3e8 || port == 0x2e8;
  return usual ? static_cast<uint16_t>(port) : uint16_t{0};
}

void RejectArguments(const Arguments& arguments) {
  Serial serial(UsualPort(arguments.serial_port));
  serial.Text("kdumpkit purgatory: its own arguments were overwritten after they were loaded; ");
  serial.Text("the new kernel is not started");
  serial.EndLine();
  int32_t seconds = arguments.reset_seconds;
  ResetAfter(seconds < kWaitMost ? seconds : kWaitMost, serial);
}

// Tells a kernel that dies early from one that was never reached.
void ReportStart(const Arguments& arguments, Serial& serial) {
  serial.Text("kdumpkit purgatory: checked ");
  serial.Decimal(arguments.region_count);
  serial.Text(arguments.region_count == 1 ? " segment" : " segments");
  serial.Text(", starting the new kernel");
  serial.EndLine();
}

}  // namespace

bool PurgatoryMain(const Arguments& arguments) {
  if (!ArgumentsIntact(arguments)) {
    RejectArguments(arguments);
    return false;
  }
  Serial serial(static_cast<uint16_t>(arguments.serial_port));
  if (!RegionsIntact(arguments, serial)) {
    ResetAfter(arguments.reset_seconds, serial);
    return false;
  }
  CopyMemory(arguments.backup_destination, arguments.backup_source, arguments.backup_size);
  ReportStart(arguments, serial);
  return true;
}

}  // namespace kdumpkit::purgatory
