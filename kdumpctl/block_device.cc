// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/block_device.h"

#include <algorithm>
#include <filesystem>

#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

struct TagFolder {
  std::string_view tag;
  const char* folder;
};
constexpr TagFolder kTagFolders[] = {{"UUID", "by-uuid"},
                                     {"LABEL", "by-label"},
                                     {"PARTUUID", "by-partuuid"},
                                     {"PARTLABEL", "by-partlabel"}};

BlockDevice FromSysfs(const std::string& sysfs) {
  // A '/' in a device's name is a '!' in sysfs: "cciss!c0d0".
  std::string name = BaseName(sysfs);
  std::replace(name.begin(), name.end(), '!', '/');
  return {sysfs, "/dev/" + name};
}

Result<BlockDevice> FromNode(const RootDir& root, LiveSystem& system, const std::string& node) {
  std::optional<std::string> real = RealPath(root, node);
  if (!real) return UsageError("there is no '{}'", node);
  std::string name = real->substr(std::min<size_t>(5, real->size()));
  std::replace(name.begin(), name.end(), '/', '!');
  std::optional<std::string> sysfs = RealPath(root, "/sys/class/block/" + name);
  if (sysfs) return FromSysfs(*sysfs);
  std::optional<std::string> number = system.DeviceNumber(root.HostPath(*real));
  if (!number) return UsageError("'{}' is not a block device", node);
  return BlockDeviceByNumber(root, *number);
}

Result<std::string> NodeOfTag(const RootDir& root, LiveSystem& system, const std::string& source) {
  size_t equals = source.find('=');
  std::string tag = source.substr(0, equals);
  std::string value = source.substr(std::min(equals + 1, source.size()));
  for (const TagFolder& row : kTagFolders) {
    std::string link = fmt::format("/dev/disk/{}/{}", row.folder, value);
    if (row.tag == tag && root.Exists(link)) return link;
  }
  std::optional<std::string> node = system.FindTag(tag, value);
  if (node) return *node;
  return UsageError("no device has {}", source);
}

std::vector<BlockDevice> Slaves(const RootDir& root, const BlockDevice& device) {
  std::vector<BlockDevice> slaves;
  for (const std::string& name : root.List(device.sysfs + "/slaves"))
    if (auto sysfs = RealPath(root, fmt::format("{}/slaves/{}", device.sysfs, name)))
      slaves.push_back(FromSysfs(*sysfs));
  return slaves;
}

// Device mapper: drivers of it begin their UUIDs with who made the device.
std::string MapperReason(std::string_view uuid) {
  if (uuid.starts_with("LVM-")) return "it is on LVM";
  // With a key that the kernel hands over, the capture opens it by itself.
  if (uuid.starts_with("CRYPT-LUKS")) return "";
  if (uuid.starts_with("CRYPT-")) return "it is encrypted, and not by LUKS";
  if (uuid.find("mpath-") != std::string_view::npos) return "it is on multipath";
  return "it is on device mapper";
}

struct NameReason {
  std::string_view name;  // how the device's name begins
  std::string_view reason;
};
constexpr NameReason kNameReasons[] = {
    {"bcache", "it is on bcache"},
    {"drbd", "it is on DRBD"},
    {"loop", "it is on a loop device"},
    {"nbd", "it is on a network block device"},
    {"rbd", "it is on a network block device (Ceph)"},
    {"zd", "it is on ZFS"},
};

std::string NameReasonOf(std::string_view name) {
  for (const NameReason& row : kNameReasons)
    if (name.starts_with(row.name)) return std::string(row.reason);
  return "";
}

// The disk of a partition; the disk itself of a disk.
std::string DiskOf(const RootDir& root, const std::string& sysfs) {
  return root.Exists(sysfs + "/partition") ? sysfs.substr(0, sysfs.rfind('/')) : sysfs;
}

// The controllers of an NVMe device that is reached through a subsystem.
std::vector<std::string> NvmeControllers(const RootDir& root, const std::string& sysfs) {
  std::vector<std::string> controllers;
  std::string disk = DiskOf(root, sysfs);
  std::string subsystem = disk.substr(0, disk.rfind('/'));
  if (subsystem.find("/nvme-subsystem/") == std::string::npos) return controllers;
  for (const std::string& name : root.List(subsystem))
    if (auto real = RealPath(root, fmt::format("{}/{}", subsystem, name));
        real && root.Exists(*real + "/transport"))
      controllers.push_back(*real);
  return controllers;
}

bool IsRemoteNvme(const RootDir& root, const std::string& controller) {
  return root.ReadLine(controller + "/transport").value_or("pcie") != "pcie";
}

std::string TransportReason(const RootDir& root, const std::string& sysfs) {
  if (sysfs.find("/session") != std::string::npos) return "it is on iSCSI";
  if (sysfs.find("/nvme-fabrics/") != std::string::npos) return "it is NVMe over a network";
  for (const std::string& controller : NvmeControllers(root, sysfs))
    if (IsRemoteNvme(root, controller)) return "it is NVMe over a network";
  return "";
}

std::string OwnReason(const RootDir& root, const std::string& sysfs) {
  std::string disk = DiskOf(root, sysfs);
  if (auto uuid = root.ReadLine(disk + "/dm/uuid")) return MapperReason(*uuid);
  if (root.Exists(disk + "/dm")) return MapperReason("");
  if (root.Exists(disk + "/md")) return "it is on software RAID (md)";
  if (std::string reason = NameReasonOf(BaseName(disk)); !reason.empty()) return reason;
  return TransportReason(root, sysfs);
}

void AddDriver(const RootDir& root, const std::string& folder, DriverNeeds& needs) {
  if (!root.Exists(folder + "/driver")) return;
  if (auto module = RealPath(root, folder + "/driver/module"))
    needs.modules.insert(BaseName(*module));
  if (auto alias = root.ReadLine(folder + "/modalias"); alias && !alias->empty())
    needs.aliases.insert(*alias);
}

}  // namespace

Result<BlockDevice> BlockDeviceByNumber(const RootDir& root, const std::string& number) {
  std::optional<std::string> sysfs = RealPath(root, "/sys/dev/block/" + number);
  if (!sysfs) return UsageError("there is no block device {}", number);
  return FromSysfs(*sysfs);
}

Result<BlockDevice> FindBlockDevice(const RootDir& root, LiveSystem& system,
                                    const std::string& source) {
  if (source.starts_with('/')) return FromNode(root, system, source);
  return FromNode(root, system, TRY(NodeOfTag(root, system, source)));
}

std::string FileSystemUuid(const RootDir& root, LiveSystem& system, const BlockDevice& device) {
  std::string uuid = DiskLink(root, "by-uuid", device);
  if (!uuid.empty()) return uuid;
  std::optional<DeviceContent> content = system.Probe(root.HostPath(device.node));
  return content ? content->uuid : "";
}

std::string DiskLink(const RootDir& root, const std::string& folder, const BlockDevice& device) {
  std::string path = "/dev/disk/" + folder;
  for (const std::string& name : root.List(path))
    if (RealPath(root, fmt::format("{}/{}", path, name)) == device.node) return name;
  return "";
}

std::string WhyUnreachable(const RootDir& root, const BlockDevice& device) {
  std::string disk = DiskOf(root, device.sysfs), name = BaseName(disk);
  std::string reason = TransportReason(root, device.sysfs);
  if (name.starts_with("nbd") || name.starts_with("rbd")) reason = NameReasonOf(name);
  if (!reason.empty()) return reason;
  for (const BlockDevice& slave : Slaves(root, device))
    if (reason = WhyUnreachable(root, slave); !reason.empty()) return reason;
  return "";
}

std::string WhyNotPlain(const RootDir& root, const BlockDevice& device) {
  if (std::string reason = OwnReason(root, device.sysfs); !reason.empty()) return reason;
  for (const BlockDevice& slave : Slaves(root, device))
    if (std::string reason = WhyNotPlain(root, slave); !reason.empty()) return reason;
  return "";
}

void AddDrivers(const RootDir& root, const std::string& sysfs, DriverNeeds& needs) {
  std::string folder = sysfs;
  while (folder.starts_with("/sys/devices/")) {
    AddDriver(root, folder, needs);
    folder.resize(folder.rfind('/'));
  }
}

void AddDrivers(const RootDir& root, const BlockDevice& device, DriverNeeds& needs) {
  AddDrivers(root, device.sysfs, needs);
  for (const std::string& controller : NvmeControllers(root, device.sysfs))
    AddDrivers(root, controller, needs);
  for (const BlockDevice& slave : Slaves(root, device)) AddDrivers(root, slave, needs);
}

}  // namespace kdumpkit
