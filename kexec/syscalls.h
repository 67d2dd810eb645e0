// SPDX-License-Identifier: GPL-2.0-or-later
// The few calls with which this room changes the machine, behind an interface so that tests can
// count them and answer them with any errno.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/ranges.h"

namespace kdumpkit {

// The two places the kernel keeps a loaded image in.
enum class Slot {
  kReboot,  // started by reboot(2) ("kexec -e")
  kCrash,   // started by a panic
};

// Flags of kexec_file_load(2): include/uapi/linux/kexec.h.
inline constexpr uint64_t kFileUnload = 0x1;
inline constexpr uint64_t kFileOnCrash = 0x2;
inline constexpr uint64_t kFileNoInitramfs = 0x4;
// Flags that kernels learned later. One they do not know makes them refuse the call (EINVAL)
// before they touch anything, and none of them is needed for a load to be good.
inline constexpr uint64_t kFileDebug = 0x8;
inline constexpr uint64_t kFileNoCma = 0x10;
inline constexpr uint64_t kFileForceDtb = 0x20;
inline constexpr uint64_t kOptionalFileFlags = kFileDebug | kFileNoCma | kFileForceDtb;

// Flags of kexec_load(2). The machine in the upper half may be left 0, which stands for the running
// kernel's own.
inline constexpr uint64_t kLoadOnCrash = 0x1;
// The kernel may update the elfcorehdr when memory or processors come and go; x86 since Linux 6.6
// ("crash: hotplug support for kexec_load()").
inline constexpr uint64_t kLoadUpdateElfcorehdr = 0x4;
inline constexpr uint64_t kLoadDebug = 0x10;
inline constexpr uint64_t kOptionalLoadFlags = kLoadUpdateElfcorehdr | kLoadDebug;

// A piece of an image for kexec_load(2): `bytes` go to the beginning of `memory`, the rest of it is
// zeroed. The bytes are borrowed.
struct KexecSegment {
  ByteView bytes;
  PhysRange memory;
};

// Every function returns 0 or an errno value.
class KexecSyscalls {
 public:
  virtual ~KexecSyscalls() = default;

  // kexec_file_load(2). The command line is passed with its final NUL, an empty one too; without
  // an initrd `initrd_fd` is -1 and `flags` say so.
  virtual int FileLoad(int kernel_fd, int initrd_fd, const std::string& command_line,
                       uint64_t flags) = 0;
  // kexec_file_load(2) with kFileUnload: empties a slot; an empty one is no error.
  virtual int FileUnload(uint64_t flags) = 0;
  // kexec_load(2); `entry` is physical. Without segments it empties the slot.
  virtual int SegmentLoad(uint64_t entry, std::span<const KexecSegment> segments,
                          uint64_t flags) = 0;
  // Marks every network interface as down, so that no packet is written to memory after the new
  // kernel has taken it over.
  virtual int TakeInterfacesDown() = 0;
  // reboot(LINUX_REBOOT_CMD_KEXEC); does not return when it works.
  virtual int RebootIntoLoaded() = 0;
  // Replaces this process by "shutdown -r now"; does not return when it works.
  virtual int RunShutdown() = 0;
  virtual void Sync() = 0;
  virtual void Sleep(std::chrono::milliseconds duration) = 0;
};

}  // namespace kdumpkit
