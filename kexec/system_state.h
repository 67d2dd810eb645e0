// SPDX-License-Identifier: GPL-2.0-or-later
// What the running kernel says about loading kernels: which are loaded, and what forbids more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/file.h"
#include "kexec/syscalls.h"

namespace kdumpkit {

// The kexec files of sysfs. Linux 7.0 put them into /sys/kernel/kexec/; the names before that are
// links now and are to go after 2028 (Linux Documentation/ABI/obsolete/sysfs-kernel-kexec-kdump).
enum class KexecFile {
  kLoaded,
  kCrashLoaded,
  kCrashSize,
  kElfcorehdrSize,
  kCrashCmaRanges,
};

// Its text without trailing white space, from the new place or the old.
std::optional<std::string> ReadKexecFile(const RootDir& root, KexecFile file);
std::optional<uint64_t> ReadKexecNumber(const RootDir& root, KexecFile file);
// The place that exists, for messages; the new one when neither does.
std::string KexecFilePath(const RootDir& root, KexecFile file);

// Absent everywhere below: the file is not there or cannot be read.
struct SystemState {
  std::optional<bool> loaded;
  std::optional<bool> crash_loaded;
  std::optional<bool> can_boot;         // this process has CAP_SYS_BOOT
  std::optional<bool> load_disabled;    // kernel.kexec_load_disabled
  std::optional<int64_t> limit_reboot;  // loads left, -1 for no limit
  std::optional<int64_t> limit_panic;
  std::optional<std::string> lockdown;  // "none", "integrity" or "confidentiality"
  std::optional<bool> secure_boot;      // firmware enforces signatures (and is not in setup mode)
  bool ima = false;                     // IMA is there and may appraise files
  std::optional<uint64_t> elfcorehdr_size;  // bytes kept for the crash kernel's memory list
  std::optional<uint64_t> memory;           // bytes of RAM the kernel manages
  std::optional<uint64_t> dm_crypt_keys;    // disk keys that are handed to the crash kernel

  static SystemState Read(const RootDir& root);

  std::optional<bool> LoadedIn(Slot slot) const {
    return slot == Slot::kCrash ? crash_loaded : loaded;
  }
  std::optional<int64_t> LimitOf(Slot slot) const {
    return slot == Slot::kCrash ? limit_panic : limit_reboot;
  }
  bool LockedDown() const { return lockdown && *lockdown != "none"; }
};

// "/proc/sys/kernel/kexec_load_limit_panic" or "..._reboot".
std::string LimitPath(Slot slot);

}  // namespace kdumpkit
