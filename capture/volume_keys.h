// SPDX-License-Identifier: GPL-2.0-or-later
// Opens the LUKS volumes below the destinations with the keys that the crashed kernel left in the
// reserved memory (CONFIG_CRASH_DM_CRYPT, Linux 6.17: kernel/crash_dump_dm_crypt.c). A key that is
// in root's keyring for another reason serves as well: a pre hook may have put it there.
#pragma once

#include <chrono>

#include "base/file.h"
#include "capture/log.h"
#include "capture/system.h"

namespace kdumpkit {

// One volume a line, in the order in which they are opened, written by kdumpctl(8):
//   UUID NAME SECTORS CIPHER KEY-BYTES IV-OFFSET OFFSET [OPTION...]
// The UUID is that of the LUKS header, NAME is in /dev/mapper; the rest is how dm-crypt maps it.
inline constexpr const char kVolumeList[] = "/etc/kdumpkit/volumes";

enum class VolumesState {
  kDone,     // open, or never will be
  kWaiting,  // a device is not there yet
};

// Does nothing without a list. Waits up to `limit` for each volume's device. What fails for good is
// said; a device that is missing is said only where it was waited for. The destination is then
// missed in its turn.
VolumesState OpenVolumes(const RootDir& root, std::chrono::seconds limit, CaptureSystem& system,
                         CaptureLog& log);

}  // namespace kdumpkit
