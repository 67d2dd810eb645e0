// SPDX-License-Identifier: GPL-2.0-or-later
// Keys of LUKS volumes for the capture kernel. Since Linux 6.17 (CONFIG_CRASH_DM_CRYPT,
// kernel/crash_dump_dm_crypt.c) kexec_file_load copies the logon keys that configfs names into the
// reserved memory, and the capture kernel gives them back: it needs neither a passphrase nor the
// memory that deriving a key from one takes.
#pragma once

#include <string>
#include <vector>

#include "kdumpctl/block_device.h"
#include "kdumpctl/live_system.h"

namespace kdumpkit {

struct LuksVolume {
  std::string uuid;  // of the LUKS header, as blkid(8) shows it
  std::string name;  // in /dev/mapper
};

// The LUKS volumes that a device stands on, from the disk upwards.
std::vector<LuksVolume> LuksVolumesBelow(const RootDir& root, const BlockDevice& device);

// What the key of a volume is called in the keyrings, there and here; the same as Fedora's.
std::string VolumeKeyName(const LuksVolume& volume);

// The line of /etc/kdumpkit/volumes that tells the capture which volume to open.
std::string VolumeLine(const LuksVolume& volume);

// Before a load: has the kernel take all keys along. Empty: it will. Else the reason why the
// capture kernel would have to ask for a passphrase; the load can go on then, without keys. A key
// that is not in root's keyring is fetched by cryptsetup(8) where a token (a TPM) can do that.
std::string OfferVolumeKeys(const std::vector<LuksVolume>& volumes, const RootDir& root,
                            LiveSystem& system);

// Loads that follow take no keys along. An expired key that is still named fails every load.
void WithdrawVolumeKeys(const RootDir& root);

}  // namespace kdumpkit
