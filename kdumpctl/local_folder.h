// SPDX-License-Identifier: GPL-2.0-or-later
// Where dumps that a destination has are found in the running system, as things are mounted now.
// (kdumpctl/resolve.h says what the destination is for the next dump, mounted or not.)
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "config/destination.h"
#include "kdumpctl/mount_table.h"

namespace kdumpkit {

// The device that "UUID=…", "LABEL=…", "PARTUUID=…", "PARTLABEL=…" or "/dev/…" means by udev's
// links, as the kernel calls it ("/dev/vda1", "/dev/dm-0"); empty when there is none.
std::string DeviceNode(const RootDir& root, const std::string& source);

// "server:/export" of an NFS destination, as mount(2) is told.
std::string NfsSource(const Destination& destination);

struct LocalFolder {
  std::string folder;  // empty: they cannot be seen
  std::string reason;  // why not
};
LocalFolder FolderOf(const Destination& destination, const std::vector<MountEntry>& mounts,
                     const RootDir& root);

}  // namespace kdumpkit
