// SPDX-License-Identifier: GPL-2.0-or-later
// The root folder in which a capture image runs on a running machine.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "config/dry_run.h"

namespace kdumpkit {

struct DryRoot {
  DryRun run;
  std::vector<std::string> folders;  // of the running system: one for each of run.places
  ByteBuffer image;                  // as it is loaded
  ByteBuffer vmcore;                 // stands for /proc/vmcore
  std::string command_line;          // stands for /proc/cmdline
  std::string report;                // a file of the running system: kDryReport
};

// To be called in a mount and PID namespace of its own. Mounts a tmpfs at the folder `base`, unpacks
// the image there and makes it "/"; of the running system only `folders` and `report` can be
// written to in it. /proc and /sys are read-only, and /dev has the block devices, a few harmless
// ones and no watchdog.
Status EnterDryRoot(const DryRoot& plan, const std::string& base);

}  // namespace kdumpkit
