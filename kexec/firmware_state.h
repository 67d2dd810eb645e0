// SPDX-License-Identifier: GPL-2.0-or-later
// What a new kernel has to be told of the firmware because it cannot ask itself any more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "kexec/efi_state.h"

namespace kdumpkit {

struct FirmwareState {
  ByteBuffer boot_params;  // the running kernel's, empty when it does not show them
  uint64_t acpi_rsdp = 0;  // ACPI's root pointer, physical; 0: not known
  bool is_efi = false;     // EFI firmware started the machine
  std::optional<EfiState> efi;
  std::string why_no_efi;  // with is_efi and without efi
};

FirmwareState ReadFirmwareState(const RootDir& root);

}  // namespace kdumpkit
