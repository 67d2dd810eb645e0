// SPDX-License-Identifier: GPL-2.0-or-later
#include "kexec/firmware_state.h"

#include "kexec/boot_params.h"

namespace kdumpkit {

FirmwareState ReadFirmwareState(const RootDir& root) {
  FirmwareState state;
  state.boot_params = ReadRunningBootParams(root);
  ByteReader running(state.boot_params, ByteOrder::kLittle, "boot_params");
  state.acpi_rsdp = running.U64(boot_params::kAcpiRsdp).value_or(0);
  state.is_efi = HasEfi(root);
  if (!state.is_efi) return state;
  if (state.acpi_rsdp == 0) state.acpi_rsdp = EfiAcpiRsdp(root).value_or(0);
  Result<EfiState> efi = ReadEfiState(root, state.boot_params);
  if (efi)
    state.efi = *std::move(efi);
  else
    state.why_no_efi = efi.error().message();
  return state;
}

}  // namespace kdumpkit
