// SPDX-License-Identifier: GPL-2.0-or-later
// Finds a destination's block device.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "capture/log.h"
#include "capture/system.h"
#include "config/destination.h"

namespace kdumpkit {

struct Device {
  std::string path;  // "/dev/vda1"
  FileSystemId id;   // without a type when a raw device was looked for
};

// The block devices that may hold a file system, as paths in /dev: not those of size 0, nor those
// that are part of another one (a disk of a RAID set, a path of a multipath device).
std::vector<std::string> ListBlockDevices(const RootDir& root);

// Looks for the device of `destination` (a device or raw) until it is there or `timeout` has
// passed; says every few seconds what it waits for. A file system type that is given stands for one
// that is not known.
Result<Device> WaitForDevice(const Destination& destination, std::chrono::seconds timeout,
                             const RootDir& root, CaptureSystem& system, CaptureLog& log);

}  // namespace kdumpkit
