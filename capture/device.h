// SPDX-License-Identifier: GPL-2.0-or-later
// Finds the destination's block device.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "capture/config.h"
#include "capture/log.h"
#include "capture/system.h"

namespace kdumpkit {

struct Device {
  std::string path;  // "/dev/vda1"
  FileSystemId id;
};

// The block devices that may hold a file system, as paths in /dev: not those of size 0, nor those
// that are part of another one (a disk of a RAID set, a path of a multipath device).
std::vector<std::string> ListBlockDevices(const RootDir& root);

// Looks for the device of `config.destination` until it is there or `config.timeout` has passed;
// says every few seconds what it waits for. `config.fs_type` stands for a type that is not known.
Result<Device> WaitForDevice(const CaptureConfig& config, const RootDir& root,
                             CaptureSystem& system, CaptureLog& log);

}  // namespace kdumpkit
