// SPDX-License-Identifier: GPL-2.0-or-later
// Puts the destination's file system in place, and away again.
#pragma once

#include <cstdint>
#include <string>

#include "capture/device.h"

namespace kdumpkit {

// Where the destination is mounted, and below it the folder of this dump.
struct Destination {
  Device device;
  std::string mount_point;  // as the process sees it
  std::string folder;       // as the process sees it: "/kdump/var/crash/localhost-…"

  // How it is named to people: "/dev/vda:/var/crash/localhost-…/vmcore".
  std::string Describe(std::string_view name) const;
};

// Mounts /proc, /sys and /dev of an initramfs. What fails is said, and the capture goes on.
void MountKernelFileSystems(const RootDir& root, CaptureSystem& system, CaptureLog& log);

// Waits for the device, mounts it, makes sure that it is mounted, and creates the dump's folder.
// On failure nothing stays mounted.
Result<Destination> OpenDestination(const CaptureConfig& config, const RootDir& root,
                                    CaptureSystem& system, CaptureLog& log);

// Writes everything to the device and unmounts. A file system that cannot be unmounted is made
// read-only and detached. The error tells that data may be lost, not that the mount is busy.
Status CloseDestination(const Destination& destination, CaptureSystem& system, CaptureLog& log);

// The room that a dump of `memory` bytes at this level usually needs; see kdump-capture(8).
uint64_t EstimateRoom(uint64_t memory, unsigned level);

}  // namespace kdumpkit
