// SPDX-License-Identifier: GPL-2.0-or-later
// Where a dump goes. The text of a destination is a URI of kdump.conf(5), or what Fedora's target
// directives have.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kdumpkit {

struct Destination {
  enum class Kind {
    kFolder,  // a folder of the running system, whatever is mounted there
    kDevice,  // a file system on a block device
    kNfs,
    kSsh,
    kVirtiofs,
    kRaw,  // a block device without a file system
  };

  Kind kind = Kind::kFolder;
  // kDevice and kRaw: "/dev/..." or "UUID=...", "LABEL=...", "PARTUUID=...", "PARTLABEL=...".
  // kVirtiofs: the tag. kNfs: what is exported, "/export". Else empty.
  std::string source;
  // kNfs and kSsh. An IPv6 address stands without brackets.
  std::string user;  // kSsh only, may be empty
  std::string host;
  uint16_t port = 0;  // kSsh only; 0: the usual one
  // The folder that gets a folder for each dump: in the running system for kFolder, on the mounted
  // file system, on the server (below the login folder if it has no leading slash) for kSsh.
  // Empty for kRaw, and while it is not known yet (the directive `path` says it).
  std::string path;
  std::string fs_type;        // kDevice: for mount(2); empty: as found on the device
  std::string mount_options;  // kDevice, kNfs, kVirtiofs; as in fstab(5)

  bool operator==(const Destination&) const = default;
  bool IsMounted() const { return kind != Kind::kFolder && kind != Kind::kSsh && !IsRaw(); }
  bool IsRaw() const { return kind == Kind::kRaw; }
};

// "folder", "device", "nfs", "ssh", "virtiofs", "raw".
std::string_view KindName(Destination::Kind kind);

// The words of a `destination` line: a URI, then options ("fstype=xfs", "options=noatime").
// kUsage errors name the bad text and say what to write.
Result<Destination> ParseDestination(const std::vector<std::string>& words);

// The value of one of Fedora's target directives ("nfs", "ssh", "raw", "ext4", ...).
Result<Destination> ParseFedoraTarget(std::string_view directive, const std::string& value);

// The values of "--mount VALUE" and "--mount=VALUE" in dracut's arguments.
std::vector<std::string> DracutMounts(const std::vector<std::string>& arguments);
// One of them, "DEVICE MOUNTPOINT [FSTYPE [OPTIONS ...]]", which Fedora takes for
// the dump's target.
Result<Destination> ParseDracutMount(const std::string& value);

// The words that ParseDestination reads back as the same destination.
std::vector<std::string> DestinationWords(const Destination& destination);
// The URI alone, for messages.
std::string DestinationUri(const Destination& destination);

// Refuses what could lead out of a destination ("..") and the empty path; slashes at the end are
// taken off, double ones become one.
Result<std::string> NormalPath(std::string_view path);

// Gives a destination that has none the folder of the directive `path`. It fails where the path
// must be absolute and is not.
Status SetDefaultPath(Destination& destination, const std::string& path);

}  // namespace kdumpkit
