// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/local_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

bool IsBelow(std::string_view path, std::string_view folder) {
  if (folder == "/") return path.starts_with('/');
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

std::string Join(std::string_view folder, std::string_view rest) {
  while (folder.ends_with('/')) folder.remove_suffix(1);
  while (rest.starts_with('/')) rest.remove_prefix(1);
  return rest.empty() && !folder.empty() ? std::string(folder) : fmt::format("{}/{}", folder, rest);
}

// udev keeps letters, digits, "#+-.:=@_" and bytes above 127 in names of links, and writes "\xNN"
// for the rest (libudev's encoding of properties; the bytes above 127 are taken for UTF-8).
std::string LinkName(std::string_view text) {
  std::string name;
  for (char c : text) {
    bool kept = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                c < 0 || std::string_view("#+-.:=@_").find(c) != std::string_view::npos;
    name += kept ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return name;
}

std::string DevicePath(const std::string& source) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTags = {{
      {"UUID=", "/dev/disk/by-uuid/"},
      {"LABEL=", "/dev/disk/by-label/"},
      {"PARTUUID=", "/dev/disk/by-partuuid/"},
      {"PARTLABEL=", "/dev/disk/by-partlabel/"},
  }};
  for (const auto& [tag, folder] : kTags)
    if (source.starts_with(tag))
      return std::string(folder) + LinkName(std::string_view(source).substr(tag.size()));
  return source;
}

bool IsSource(const MountEntry& mount, const Destination& destination, const RootDir& root) {
  switch (destination.kind) {
    case Destination::Kind::kNfs:
      return mount.fs_type.starts_with("nfs") && mount.source == NfsSource(destination);
    case Destination::Kind::kVirtiofs:
      return mount.fs_type == "virtiofs" && mount.source == destination.source;
    default: {
      std::string node = DeviceNode(root, destination.source);
      if (node.empty()) return false;
      if (mount.source.starts_with("/dev/") && DeviceNode(root, mount.source) == node) return true;
      std::optional<std::string> number =
          root.ReadLine(fmt::format("/sys/class/block/{}/dev", node.substr(node.rfind('/') + 1)));
      return number && *number == mount.device;
    }
  }
}

// The path on its file system: with "subvol=@data" btrfs mounts a folder below the top.
std::string PathOnFileSystem(const Destination& destination) {
  if (destination.kind != Destination::Kind::kDevice) return Join("/", destination.path);
  return Join(Join("/", OptionValue(destination.mount_options, "subvol")), destination.path);
}

}  // namespace

std::string DeviceNode(const RootDir& root, const std::string& source) {
  std::string path = DevicePath(source);
  if (!path.starts_with("/dev/")) return "";
  return RealPath(root, path).value_or("");
}

std::string NfsSource(const Destination& destination) {
  bool ipv6 = destination.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", ipv6 ? "[" : "", destination.host, ipv6 ? "]" : "",
                     destination.source);
}

LocalFolder FolderOf(const Destination& destination, const std::vector<MountEntry>& mounts,
                     const RootDir& root) {
  if (destination.kind == Destination::Kind::kFolder) return {destination.path, ""};
  std::string uri = DestinationUri(destination);
  if (destination.kind == Destination::Kind::kSsh)
    return {"", fmt::format("dumps on '{}' can only be seen there", uri)};
  if (destination.IsRaw())
    return {"", fmt::format("'{}' has no folders; 'kdumpctl recover' fetches its dump", uri)};
  std::string path = PathOnFileSystem(destination);
  const MountEntry* best = nullptr;
  for (const MountEntry& mount : mounts)
    if (IsBelow(path, mount.root) && IsSource(mount, destination, root) &&
        (best == nullptr || mount.root.size() > best->root.size()))
      best = &mount;
  if (best == nullptr) return {"", fmt::format("'{}' is not mounted", uri)};
  return {Join(best->point, best->root == "/" ? path : path.substr(best->root.size())), ""};
}

}  // namespace kdumpkit
