// SPDX-License-Identifier: GPL-2.0-or-later
// What is mounted where: /proc/self/mountinfo (proc_pid_mountinfo(5)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kdumpkit {

struct MountEntry {
  std::string device;   // "8:1"; "0:NN" for file systems without a block device, and for btrfs
  std::string root;     // the folder of the file system that is mounted: "/", or of a bind mount
  std::string point;    // where
  std::string fs_type;  // "ext4"
  std::string source;   // "/dev/sda1", "server:/export", a tag
  std::string super_options;
};

// Lines that are not understood are left out.
std::vector<MountEntry> ParseMountInfo(std::string_view text);

// The mount that `path` is on: the deepest one, and the last of those mounted over each other.
// Null when there is none. `path` is absolute and without symbolic links.
const MountEntry* FindMount(const std::vector<MountEntry>& mounts, std::string_view path);

// `path` as seen from the top of the file system of `mount`, which it is on.
std::string PathInFileSystem(const MountEntry& mount, std::string_view path);

// The value of an option in "rw,vers=4.2,..."; empty when it is not there.
std::string_view OptionValue(std::string_view options, std::string_view name);

}  // namespace kdumpkit
