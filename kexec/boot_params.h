// SPDX-License-Identifier: GPL-2.0-or-later
// struct boot_params ("zero page"), through which a boot loader talks to an x86 kernel: Linux
// Documentation/arch/x86/zero-page.rst and boot.rst, arch/x86/include/uapi/asm/bootparam.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/ranges.h"
#include "kexec/efi_state.h"
#include "kexec/memory_map.h"

namespace kdumpkit {

// Offsets of fields in bytes; the setup header has the same in a bzImage.
namespace boot_params {
inline constexpr size_t kSize = 4096;
inline constexpr size_t kScreenInfo = 0x000;
inline constexpr size_t kScreenInfoSize = 0x40;
inline constexpr size_t kAcpiRsdp = 0x070;
inline constexpr size_t kInitrdHigh = 0x0c0;
inline constexpr size_t kInitrdSizeHigh = 0x0c4;
inline constexpr size_t kCommandLineHigh = 0x0c8;
inline constexpr size_t kEfiLoaderSignature = 0x1c0;
inline constexpr size_t kEfiSystemTable = 0x1c4;
inline constexpr size_t kEfiDescriptorSize = 0x1c8;
inline constexpr size_t kEfiDescriptorVersion = 0x1cc;
inline constexpr size_t kEfiMap = 0x1d0;
inline constexpr size_t kEfiMapSize = 0x1d4;
inline constexpr size_t kEfiSystemTableHigh = 0x1d8;
inline constexpr size_t kEfiMapHigh = 0x1dc;
inline constexpr size_t kE820Count = 0x1e8;
inline constexpr size_t kEddCounts = 0x1e9;  // of BIOS disks, two bytes
inline constexpr size_t kSecureBoot = 0x1ec;
inline constexpr size_t kSetupHeader = 0x1f1;  // setup_sects is its first field
inline constexpr size_t kRootFlags = 0x1f2;
inline constexpr size_t kBootFlag = 0x1fe;
inline constexpr size_t kSetupHeaderEnd = 0x201;  // the header ends this many bytes behind 0x202
inline constexpr size_t kHeaderMagic = 0x202;
inline constexpr size_t kVersion = 0x206;
inline constexpr size_t kLoaderType = 0x210;
inline constexpr size_t kLoadFlags = 0x211;
inline constexpr size_t kInitrd = 0x218;
inline constexpr size_t kInitrdSize = 0x21c;
inline constexpr size_t kCommandLine = 0x228;
inline constexpr size_t kKernelAlignment = 0x230;
inline constexpr size_t kRelocatable = 0x234;
inline constexpr size_t kXloadflags = 0x236;
inline constexpr size_t kCommandLineSize = 0x238;
inline constexpr size_t kHardwareSubarch = 0x23c;
inline constexpr size_t kSetupData = 0x250;
inline constexpr size_t kPreferredAddress = 0x258;
inline constexpr size_t kInitSize = 0x260;
inline constexpr size_t kEddSignatures = 0x290;
inline constexpr size_t kEddSignaturesSize = 16 * 4;
inline constexpr size_t kE820Table = 0x2d0;
inline constexpr size_t kE820TableEntries = 128;
inline constexpr size_t kEddTable = 0xd00;
inline constexpr size_t kEddTableSize = 6 * 82;
}  // namespace boot_params

// The running kernel's own, empty when it does not show them.
ByteBuffer ReadRunningBootParams(const RootDir& root);

struct BootParamsInput {
  // The setup header as it is at boot_params::kSetupHeader in a bzImage, without what is before.
  ByteView setup_header;
  ByteView running;  // the running kernel's boot_params: screen, BIOS disks
  std::string command_line;
  std::vector<E820Entry> memory_map;
  std::optional<PhysRange> initrd;  // its bytes, not whole pages
  std::optional<EfiState> efi;
  uint64_t acpi_rsdp = 0;  // 0: not known
  ByteBuffer random_seed;  // may be empty
};

// boot_params for the 64-bit entry, and behind it in the same piece of memory, which is to lie at
// `address`: the command line and all setup_data records. The size does not depend on addresses.
ByteBuffer MakeBootParams(const BootParamsInput& input, PhysAddr address);

// The setup header of a bzImage. Fails when the file is too short.
Result<ByteBuffer> SetupHeaderOf(ByteView bzimage);

// A setup header for a kernel without one (an ELF file), as far as the kernel proper looks at it.
ByteBuffer MakeSetupHeader();

}  // namespace kdumpkit
