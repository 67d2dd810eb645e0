// SPDX-License-Identifier: GPL-2.0-or-later
// Keys of LUKS volumes for the capture kernel. Since Linux 6.17 (CONFIG_CRASH_DM_CRYPT,
// kernel/crash_dump_dm_crypt.c) kexec_file_load copies the logon keys that configfs names into the
// reserved memory, and the capture kernel gives them back: it needs neither a passphrase nor the
// memory that deriving a key from one takes. How a volume is mapped is taken from the running
// system, so that it needs no cryptsetup(8) either.
#pragma once

#include <string>
#include <vector>

#include "kdumpctl/block_device.h"
#include "kdumpctl/live_system.h"

namespace kdumpkit {

struct LuksVolume {
  std::string uuid;  // of the LUKS header, as blkid(8) shows it
  std::string name;  // in /dev/mapper
  // Of its mapping (Documentation/admin-guide/device-mapper/dm-crypt.rst): the length in sectors,
  // the cipher, the size of the key in bytes, the IV's offset, where the data begins on the device
  // in sectors, and options. Empty until it is looked up.
  std::string mapping;
  std::string cipher;

  bool operator==(const LuksVolume&) const = default;
};

// The LUKS volumes that a device stands on, from the disk upwards, without their mappings.
std::vector<LuksVolume> LuksVolumesBelow(const RootDir& root, const BlockDevice& device);

// Asks dmsetup(8). Error: it cannot tell, or the volume is more than one piece of dm-crypt.
Status LookUpMapping(LuksVolume& volume, LiveSystem& system);

// Why this kernel cannot hand over keys, and what to choose instead; empty: it can.
std::string WhyNoVolumeKeys(const RootDir& root);

// Modules that open it: dm-crypt, and those that do its cipher now (/proc/crypto).
std::vector<std::string> VolumeModules(const LuksVolume& volume, const RootDir& root);

// What the key of a volume is called in the keyrings, there and here; the same as Fedora's.
std::string VolumeKeyName(const LuksVolume& volume);

// The line of /etc/kdumpkit/volumes that tells the capture which volume to open
// (capture/volumes.h).
std::string VolumeLine(const LuksVolume& volume);

// Before a load: has the kernel take all keys along. Empty: it will. Else the reason why the
// capture kernel could not open them; the load can go on then, without keys. A key that is not in
// root's keyring is fetched by cryptsetup(8) where a token (a TPM) can do that; else the keys of
// the image that is loaded serve again.
std::string OfferVolumeKeys(const std::vector<LuksVolume>& volumes, const RootDir& root,
                            LiveSystem& system);

// Loads that follow take no keys along. An expired key that is still named fails every load.
void WithdrawVolumeKeys(const RootDir& root);

// Whether the last load was told to take the volume's key along.
bool IsKeyOffered(const LuksVolume& volume, const RootDir& root);

}  // namespace kdumpkit
