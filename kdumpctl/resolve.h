// SPDX-License-Identifier: GPL-2.0-or-later
// What a destination of kdump.conf(5) stands for in the running system, and how the capture kernel
// finds the same place.
#pragma once

#include <string>
#include <vector>

#include "config/destination.h"
#include "kdumpctl/block_device.h"
#include "kdumpctl/live_system.h"
#include "kdumpctl/mount_table.h"
#include "kdumpctl/volume_keys.h"

namespace kdumpkit {

struct ResolvedDestination {
  Destination configured;
  // For the capture kernel: never kFolder; a file system has its UUID where it has one.
  Destination capture;
  BlockDevice device;                // kDevice and kRaw, else empty
  std::string mounted;               // where it is mounted now; empty: it is not
  std::string folder;                // the dumps' folder in the running system; empty: none
  DriverNeeds drivers;               // of the device
  std::vector<std::string> modules;  // besides: of the file system; those that exist
  // Why only a full initramfs can bring it up: "it is on LVM"; empty: the small image can.
  std::string not_small;

  // Why no image can: a reason, and what to choose instead; empty: one can.
  std::string unreachable;
  std::vector<LuksVolume> volumes;  // that it stands on, from the disk upwards

  bool NeedsNetwork() const {
    return capture.kind == Destination::Kind::kNfs || capture.kind == Destination::Kind::kSsh;
  }
};

// Errors say why the place cannot get a dump.
Result<ResolvedDestination> ResolveDestination(const Destination& destination, const RootDir& root,
                                               LiveSystem& system);

}  // namespace kdumpkit
