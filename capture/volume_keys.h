// SPDX-License-Identifier: GPL-2.0-or-later
// Opens the LUKS volumes below the destinations with the keys that the crashed kernel left in the
// reserved memory (CONFIG_CRASH_DM_CRYPT, Linux 6.17: kernel/crash_dump_dm_crypt.c).
#pragma once

#include <chrono>

#include "base/file.h"
#include "capture/log.h"
#include "capture/system.h"

namespace kdumpkit {

// One volume a line, in the order in which they are opened: the UUID of its LUKS header, a blank,
// its name in /dev/mapper. Written by kdumpctl(8).
inline constexpr const char kVolumeList[] = "/etc/kdumpkit/volumes";

// Does nothing without a list. Waits up to `limit` for each volume's device, and runs
// cryptsetup(8) for it. What fails is said; the destination is then missed in its turn.
void OpenVolumes(const RootDir& root, std::chrono::seconds limit, CaptureSystem& system,
                 CaptureLog& log);

}  // namespace kdumpkit
