// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/resolve.h"

#include <algorithm>

#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

using Kind = Destination::Kind;

// What a file system's driver needs besides its module, which has its name. Names that a kernel
// does not know are left out later.
std::vector<std::string> FileSystemModules(const std::string& type) {
  // Of vfat's options codepage= and iocharset= the defaults (fs/fat/Kconfig), and what
  // distributions set.
  if (type == "vfat") return {"vfat", "nls_cp437", "nls_ascii", "nls_iso8859-1", "nls_utf8"};
  // ext4 serves ext2 and ext3 too (fs/ext4/super.c).
  if (type == "ext2" || type == "ext3") return {type, "ext4", "crc32c"};
  if (type == "ext4" || type == "xfs" || type == "btrfs" || type == "f2fs") return {type, "crc32c"};
  if (type.empty()) return {};
  return {type};
}

std::vector<std::string> NfsModules(std::string_view version) {
  std::vector<std::string> modules = {"nfs"};
  if (version.empty() || version.starts_with('3')) modules.push_back("nfsv3");
  if (version.empty() || version.starts_with('4')) modules.push_back("nfsv4");
  return modules;
}

// "host:/export", "[::1]:/export".
std::optional<Destination> SplitNfsSource(const std::string& source) {
  size_t colon = source.find(":/");
  if (source.starts_with('[')) colon = source.find("]:/") + 1;
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  Destination nfs;
  nfs.kind = Kind::kNfs;
  nfs.host = source.substr(0, colon);
  if (nfs.host.starts_with('[')) nfs.host = nfs.host.substr(1, nfs.host.size() - 2);
  nfs.source = source.substr(colon + 1);
  return nfs;
}

class Resolver {
 public:
  Resolver(const Destination& destination, const RootDir& root, LiveSystem& system)
      : root_(root), system_(system) {
    found_.configured = destination;
    found_.capture = destination;
  }

  Result<ResolvedDestination> Run() {
    mounts_ = ParseMountInfo(TRY(root_.ReadText("/proc/self/mountinfo")));
    switch (found_.configured.kind) {
      case Kind::kFolder:
        TRY(Folder());
        break;
      case Kind::kDevice:
      case Kind::kRaw:
        TRY(Device());
        break;
      case Kind::kVirtiofs:
        Virtiofs();
        break;
      case Kind::kNfs:
        Nfs();
        break;
      case Kind::kSsh:
        break;
    }
    return found_;
  }

 private:
  Status Folder();
  Status FolderOnDevice(const MountEntry& mount);
  Status FolderOnNfs(const MountEntry& mount);
  Status Device();
  Status FoundDevice(const BlockDevice& device);
  void Mounted(const std::string& number);
  void Nfs();
  void Virtiofs();
  void FindVolumes();
  void NameDevice();
  std::string StableNode() const;
  void CheckBtrfs(const std::string& uuid);

  const RootDir& root_;
  LiveSystem& system_;
  std::vector<MountEntry> mounts_;
  ResolvedDestination found_;
};

// Without symbolic links; what does not exist yet is made by the capture.
std::string RealFolder(const RootDir& root, const std::string& path) {
  std::string existing = path;
  while (existing.size() > 1) {
    if (std::optional<std::string> real = RealPath(root, existing))
      return (*real == "/" ? "" : *real) + path.substr(existing.size());
    existing.resize(std::max<size_t>(existing.rfind('/'), 1));
    if (existing == "/") return path;
  }
  return path;
}

Status Resolver::Folder() {
  std::string path = RealFolder(root_, found_.configured.path);
  const MountEntry* mount = FindMount(mounts_, path);
  if (mount == nullptr) return UsageError("nothing is mounted at or above '{}'", path);
  found_.folder = path;
  found_.mounted = mount->point;
  found_.capture.path = PathInFileSystem(*mount, path);
  if (mount->fs_type == "nfs" || mount->fs_type == "nfs4") return FolderOnNfs(*mount);
  if (mount->fs_type == "virtiofs") {
    found_.capture.kind = Kind::kVirtiofs;
    found_.capture.source = mount->source;
    Virtiofs();
    return {};
  }
  return FolderOnDevice(*mount);
}

Status Resolver::FolderOnNfs(const MountEntry& mount) {
  std::optional<Destination> nfs = SplitNfsSource(mount.source);
  if (!nfs)
    return UsageError("'{}' is mounted from '{}', which is not HOST:/EXPORT", mount.point,
                      mount.source);
  std::string_view version = OptionValue(mount.super_options, "vers");
  nfs->path = found_.capture.path;
  if (!version.empty()) nfs->mount_options = fmt::format("vers={}", version);
  found_.capture = *nfs;
  Nfs();
  std::string_view security = OptionValue(mount.super_options, "sec");
  if (security.starts_with("krb5"))
    return UsageError("'{}' is mounted with sec={}, and the capture kernel has no Kerberos ticket",
                      mount.point, security);
  return {};
}

Status Resolver::FolderOnDevice(const MountEntry& mount) {
  Result<BlockDevice> device = BlockDeviceByNumber(root_, mount.device);
  // btrfs numbers its mounts by itself; their source is one of its devices.
  if (!device && mount.source.starts_with("/dev/"))
    device = FindBlockDevice(root_, system_, mount.source);
  if (!device)
    return UsageError("'{}' is on {} ('{}'), which no capture kernel can write to", found_.folder,
                      mount.fs_type, mount.source);
  found_.capture.kind = Kind::kDevice;
  found_.capture.fs_type = mount.fs_type;
  // The path is seen from the top, whatever the default subvolume is.
  if (mount.fs_type == "btrfs") found_.capture.mount_options = "subvol=/";
  return FoundDevice(*device);
}

Status Resolver::Device() {
  BlockDevice device = TRY(FindBlockDevice(root_, system_, found_.configured.source));
  if (found_.configured.kind == Kind::kDevice && found_.capture.fs_type.empty()) {
    std::optional<DeviceContent> content = system_.Probe(root_.HostPath(device.node));
    if (content) found_.capture.fs_type = content->fs_type;
  }
  Mounted(root_.ReadLine(device.sysfs + "/dev").value_or(""));
  return FoundDevice(device);
}

// Where a whole file system is mounted now, so that its folders can be looked at.
void Resolver::Mounted(const std::string& number) {
  for (const MountEntry& mount : mounts_) {
    if (mount.device != number || mount.root != "/") continue;
    if (found_.configured.kind == Kind::kRaw || !found_.mounted.empty()) continue;
    found_.mounted = mount.point;
    found_.folder = (mount.point == "/" ? "" : mount.point) + found_.configured.path;
    if (found_.capture.fs_type.empty()) found_.capture.fs_type = mount.fs_type;
  }
}

Status Resolver::FoundDevice(const BlockDevice& device) {
  found_.device = device;
  found_.not_small = WhyNotPlain(root_, device);
  AddDrivers(root_, device, found_.drivers);
  FindVolumes();
  NameDevice();
  if (found_.capture.kind == Kind::kRaw) return {};
  if (found_.capture.fs_type.empty())
    return UsageError("'{}' has no file system that is known; say fstype=TYPE if it has one",
                      device.node);
  found_.modules = FileSystemModules(found_.capture.fs_type);
  return {};
}

// The disk's transport comes first: with that, the key does not help.
void Resolver::FindVolumes() {
  found_.volumes = LuksVolumesBelow(root_, found_.device);
  if (std::string reason = WhyUnreachable(root_, found_.device); !reason.empty()) {
    found_.unreachable = reason +
                         ", and the capture kernel has no login to that storage; choose a disk of "
                         "this machine, or a server (ssh, NFS)";
    return;
  }
  if (found_.volumes.empty()) return;
  found_.unreachable = WhyNoVolumeKeys(root_);
  for (LuksVolume& volume : found_.volumes)
    if (found_.unreachable.empty())
      if (Status known = LookUpMapping(volume, system_); !known)
        found_.unreachable = known.error().message();
}

// Names of nodes may change from boot to boot. The small image has no udev and no links.
void Resolver::NameDevice() {
  if (found_.capture.kind == Kind::kRaw) {
    std::string partition = DiskLink(root_, "by-partuuid", found_.device);
    found_.capture.source = partition.empty() ? StableNode() : "PARTUUID=" + partition;
    return;
  }
  std::string uuid = FileSystemUuid(root_, system_, found_.device);
  found_.capture.source = uuid.empty() ? StableNode() : "UUID=" + uuid;
  if (found_.capture.fs_type == "btrfs") CheckBtrfs(uuid);
}

// The numbers of device mapper's nodes depend on the order in which they are made.
std::string Resolver::StableNode() const {
  std::optional<std::string> name = root_.ReadLine(found_.device.sysfs + "/dm/name");
  return name && !name->empty() ? "/dev/mapper/" + *name : found_.device.node;
}

void Resolver::CheckBtrfs(const std::string& uuid) {
  if (root_.List(fmt::format("/sys/fs/btrfs/{}/devices", uuid)).size() > 1 &&
      found_.not_small.empty())
    found_.not_small = "it is a btrfs of several devices";
}

void Resolver::Nfs() {
  found_.modules = NfsModules(OptionValue(found_.capture.mount_options, "vers"));
  if (OptionValue(found_.capture.mount_options, "nfsvers").empty()) return;
  found_.modules = NfsModules(OptionValue(found_.capture.mount_options, "nfsvers"));
}

void Resolver::Virtiofs() {
  found_.modules = {"virtiofs"};
  constexpr const char kBound[] = "/sys/bus/virtio/drivers/virtiofs";
  for (const std::string& name : root_.List(kBound))
    if (std::optional<std::string> device = RealPath(root_, fmt::format("{}/{}", kBound, name)))
      AddDrivers(root_, *device, found_.drivers);
}

}  // namespace

Result<ResolvedDestination> ResolveDestination(const Destination& destination, const RootDir& root,
                                               LiveSystem& system) {
  return Resolver(destination, root, system).Run().In(DestinationUri(destination));
}

}  // namespace kdumpkit
