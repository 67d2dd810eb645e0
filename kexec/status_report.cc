// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/status_report.h"

#include "kexec/json.h"
#include "kexec/load_checks.h"
#include "kexec/reservation.h"
#include "kexec/text.h"

namespace kdumpkit {
namespace {

Json SlotToJson(const SystemState& state, Slot slot) {
  return {{"loaded", OrNull(state.LoadedIn(slot))},
          {"loads_left", OrNull(state.LimitOf(slot))},
          {"forbidden_by", ForbiddenBy(state, slot)}};
}

Json ReservationToJson(const CrashReservation& reservation) {
  return {{"present", OrNull(reservation.Present())},
          {"ranges", RangesToJson(reservation.ranges)},
          {"cma", RangesToJson(reservation.cma)},
          {"load_size", OrNull(reservation.TargetSize())}};
}

// Whether the kernel itself updates the loaded crash kernel's list ("1"); absent before Linux 6.6.
Json HotplugToJson(const RootDir& root, std::string_view what) {
  std::optional<std::string> line =
      root.ReadLine(fmt::format("/sys/devices/system/{}/crash_hotplug", what));
  return line ? Json(*line == "1") : Json(nullptr);
}

}  // namespace

std::string StatusToJson(const RootDir& root) {
  SystemState state = SystemState::Read(root);
  return JsonText({
      {"crash", SlotToJson(state, Slot::kCrash)},
      {"reboot", SlotToJson(state, Slot::kReboot)},
      {"reservation", ReservationToJson(ReadCrashReservation(root))},
      {"load_disabled", OrNull(state.load_disabled)},
      {"lockdown", OrNull(state.lockdown)},
      {"secure_boot", OrNull(state.secure_boot)},
      {"ima", state.ima},
      {"hotplug", {{"cpu", HotplugToJson(root, "cpu")}, {"memory", HotplugToJson(root, "memory")}}},
      {"elfcorehdr_size", OrNull(state.elfcorehdr_size)},
      {"dm_crypt_keys", OrNull(state.dm_crypt_keys)},
      {"memory", OrNull(state.memory)},
  });
}

}  // namespace kdumpkit
