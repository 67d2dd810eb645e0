// SPDX-License-Identifier: GPL-2.0-or-later
// What "kdumpctl test --dry" tells the kdump-capture that it starts: a file that no capture image
// has, so that no mistake on a command line can turn a real capture into a dry run.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdumpkit {

inline constexpr const char kDryRunFile[] = "/etc/kdumpkit/dry-run";
// Where folders of the running system stand for what the capture would mount.
inline constexpr const char kDryFolder[] = "/kdump-dry";
// The manifest of the destination that was tried last is copied into this file.
inline constexpr const char kDryReport[] = "/kdump-dry/report";

// A file system that the running system has mounted already.
struct DryPlace {
  std::string key;   // "8:1" of a block device; else the source for mount(2), "files:/export"
  std::string path;  // what there is of it, from its top: "/var/crash"

  bool operator==(const DryPlace&) const = default;
};

struct DryRun {
  bool keep = false;  // the test's folder is left where it is
  std::vector<DryPlace> places;

  // Where the top of a place is: "/kdump-dry/0".
  static std::string FolderOf(size_t place);
  bool operator==(const DryRun&) const = default;
};

std::string DryRunText(const DryRun& dry);
// Absent: that is no such text.
std::optional<DryRun> ParseDryRun(std::string_view text);

}  // namespace kdumpkit
