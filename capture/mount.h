// SPDX-License-Identifier: GPL-2.0-or-later
// Puts file systems in place, and away again.
#pragma once

#include <string>

#include "capture/context.h"

namespace kdumpkit {

// A destination's file system where it is mounted.
struct MountedFolder {
  MountRequest mount;
  std::string name;         // for people: "/dev/vda", "files:/export", "virtiofs:TAG"
  std::string detail;       // "ext4, UUID=..."
  std::string mount_point;  // as the process sees it
  bool network = false;
};

// Mounts /proc, /sys and /dev of an initramfs. What fails is said, and the capture goes on.
void MountKernelFileSystems(const RootDir& root, CaptureSystem& system, CaptureLog& log);

// Mounts a destination that is a device, an NFS server's or a virtual machine's, and makes sure
// that it is mounted; waits for a device, and goes on trying while a server does not answer, each
// for its own time. On failure nothing stays mounted.
Result<MountedFolder> MountDestination(const Destination& destination,
                                       const CaptureContext& context);

// Writes everything to the device and unmounts. A file system that cannot be unmounted is made
// read-only and detached. The error tells that data may be lost, not that the mount is busy.
Status UnmountDestination(const MountedFolder& folder, const CaptureContext& context);

// Mount options as in fstab(5), taken apart into flags and what the file system itself is told.
// Those that only mean something to mount(8) or would make it read-only are left out.
void AddMountOptions(std::string_view list, MountRequest& request);

}  // namespace kdumpkit
