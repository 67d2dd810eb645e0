// SPDX-License-Identifier: GPL-2.0-or-later
// Block devices of the running system as sysfs shows them: what they stand on, and which kernel
// modules drive that (Documentation/ABI/stable/sysfs-block, sysfs-devices in the kernel).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "kdumpctl/live_system.h"

namespace kdumpkit {

struct BlockDevice {
  std::string sysfs;  // "/sys/devices/pci0000:00/.../block/vda/vda1"
  std::string node;   // "/dev/vda1"
};

// By its number, "8:1". kUsage when there is none.
Result<BlockDevice> BlockDeviceByNumber(const RootDir& root, const std::string& number);
// By what a configuration says: "/dev/...", "UUID=...", "LABEL=...", "PARTUUID=...",
// "PARTLABEL=...".
Result<BlockDevice> FindBlockDevice(const RootDir& root, LiveSystem& system,
                                    const std::string& source);

// The UUID of the file system on it: what udev knows, else its superblock; empty: unknown.
std::string FileSystemUuid(const RootDir& root, LiveSystem& system, const BlockDevice& device);
// The value of a link in /dev/disk/`folder` that leads to it: "by-partuuid"; empty: none.
std::string DiskLink(const RootDir& root, const std::string& folder, const BlockDevice& device);

// Why an image without udev and device mapper cannot bring it up: "it is on LVM"; empty: it can.
std::string WhyNotPlain(const RootDir& root, const BlockDevice& device);

// Why no capture image brings it up, because it stands on a disk behind a network: "it is on
// iSCSI"; empty: one can.
std::string WhyUnreachable(const RootDir& root, const BlockDevice& device);

// What has to be loaded for the devices above a folder of /sys/devices, that one included.
struct DriverNeeds {
  std::set<std::string> modules;  // of drivers that are bound now
  std::set<std::string> aliases;  // of the same devices, for a kernel of another release
};
void AddDrivers(const RootDir& root, const std::string& sysfs, DriverNeeds& needs);
// The same for a block device; NVMe devices with several controllers have them all.
void AddDrivers(const RootDir& root, const BlockDevice& device, DriverNeeds& needs);

}  // namespace kdumpkit
