// SPDX-License-Identifier: GPL-2.0-or-later
// What the running kernel knows of EFI firmware, and the next kernel needs to go on using it:
// firmware is told the virtual addresses of its services only once, so the next kernel must use the
// same.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"

namespace kdumpkit {

// A range of memory that firmware's services need, as in efi_memory_desc_t.
struct EfiRuntimeRange {
  uint32_t type = 0;
  uint64_t phys_addr = 0;
  uint64_t virt_addr = 0;
  uint64_t num_pages = 0;  // of 4 KiB
  uint64_t attribute = 0;
};

struct EfiState {
  uint32_t loader_signature = 0;  // "EL64" as bytes
  uint64_t system_table = 0;      // physical
  std::vector<EfiRuntimeRange> runtime_map;
  // What the system table says before virtual addresses replace it there.
  uint64_t fw_vendor = 0;
  uint64_t runtime = 0;  // read by Linux before 5.7 only; 0: not told
  uint64_t config_table = 0;
  uint64_t smbios = 0;  // 0: none
};

// The machine was started by EFI firmware.
bool HasEfi(const RootDir& root);

// `boot_params` are the running kernel's. Fails when a part cannot be had: all are needed. The
// error says which.
Result<EfiState> ReadEfiState(const RootDir& root, ByteView boot_params);

// Where ACPI's root pointer is, from EFI's tables; absent when they do not tell.
std::optional<uint64_t> EfiAcpiRsdp(const RootDir& root);

// Array of 40-byte efi_memory_desc_t.
ByteBuffer EncodeRuntimeMap(const EfiState& state);
inline constexpr uint32_t kEfiDescriptorSize = 40;

// struct efi_setup_data, what SETUP_EFI holds (arch/x86/include/asm/efi.h).
ByteBuffer EncodeEfiSetupData(const EfiState& state);

}  // namespace kdumpkit
