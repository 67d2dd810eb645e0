// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/mount.h"

#include <sys/mount.h>

#include <cerrno>
#include <filesystem>

#include "capture/device.h"
#include "capture/hosts.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using Kind = Destination::Kind;

constexpr std::string_view kMountPoint = "/kdump";
constexpr unsigned long kMountFlags = MS_NOATIME | MS_NODEV | MS_NOSUID | MS_NOEXEC;
// A server that does not answer is asked again after this time.
constexpr milliseconds kRetryInterval{2000};
// After three times ten seconds without an answer a read or write fails, rather than hang. The
// server's lock daemon is not needed, and there is no room for our part of it.
constexpr std::string_view kNfsOptions = "soft,timeo=100,retrans=3,nolock";

Status MakeFolders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return SystemError(error.value(), fmt::format("cannot create folder '{}'", path));
  return {};
}

// The error with what may help.
Error WithHint(const Error& error, const MountRequest& request) {
  std::string hint;
  if (error.error_number() == ENODEV)
    hint = fmt::format(" (is the module of '{}' in the image?)", request.type);
  if (error.error_number() == EACCES && request.type == "nfs")
    hint = " (does the server export it to this machine's address?)";
  return Error(error.kind(), error.error_number(), error.message() + hint);
}

Status MountAndCheck(const MountRequest& request, const CaptureContext& context) {
  context.Begin(fmt::format("mounting '{}'", request.source), context.config.mount_timeout);
  Status mounted = context.system.Mount(request);
  if (!mounted) return WithHint(mounted.error(), request);
  // A dump written into the initramfs would look well and be gone after the reboot.
  if (TRY(context.system.IsMountPoint(request.target))) return {};
  return Error(ErrorKind::kSystem,
               fmt::format("'{}' is not a mount point although '{}' was mounted there",
                           request.target, request.source));
}

bool MayAnswerLater(int error) {
  for (int known : {ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EAGAIN, ENETDOWN, EIO,
                    ECONNRESET, EHOSTDOWN})
    if (error == known) return true;
  return false;
}

bool HasVersion(std::string_view options) {
  std::string list = fmt::format(",{}", options);
  return list.find(",vers=") != std::string::npos || list.find(",nfsvers=") != std::string::npos;
}

// The kernel tries no other version by itself; newest first, as mount.nfs does.
Status MountNfsOnce(const MountRequest& request, bool version_given,
                    const CaptureContext& context) {
  if (version_given) return MountAndCheck(request, context);
  Status mounted;
  for (std::string_view version : {"4.2", "4.1", "4.0", "3"}) {
    MountRequest attempt = request;
    attempt.options = fmt::format("vers={},{}", version, request.options);
    mounted = MountAndCheck(attempt, context);
    if (mounted || MayAnswerLater(mounted.error().error_number())) return mounted;
  }
  return mounted;
}

Status MountNfs(MountRequest request, const CaptureContext& context) {
  bool version_given = HasVersion(request.options);
  milliseconds begin = context.system.Uptime();
  milliseconds limit = context.config.mount_timeout;
  for (;;) {
    request.limit = limit - (context.system.Uptime() - begin);
    Status mounted = MountNfsOnce(request, version_given, context);
    if (mounted || !MayAnswerLater(mounted.error().error_number())) return mounted;
    if (context.system.Uptime() - begin + kRetryInterval >= limit) return mounted;
    context.log.Say("{}, trying again", mounted.error().message());
    context.system.Sleep(kRetryInterval);
  }
}

Status PrepareDevice(const Destination& destination, const CaptureContext& context,
                     MountedFolder& folder) {
  context.Begin("waiting for the destination's device", context.config.device_timeout);
  Device device = TRY(WaitForDevice(destination, context.config.device_timeout, context.root,
                                    context.system, context.log));
  folder.mount.source = context.root.HostPath(device.path);
  folder.mount.type = device.id.type;
  folder.name = device.path;
  folder.detail = device.id.type;
  if (!device.id.uuid.empty()) folder.detail += ", UUID=" + device.id.uuid;
  return {};
}

Status PrepareNfs(const Destination& destination, const CaptureContext& context,
                  MountedFolder& folder) {
  std::string address = TRY(ResolveHost(context.root, destination.host));
  bool brackets = destination.host.find(':') != std::string::npos;
  std::string host = brackets ? fmt::format("[{}]", destination.host) : destination.host;
  folder.mount.source = fmt::format("{}:{}", host, destination.source);
  folder.mount.type = "nfs";
  // What the user says comes last, and counts.
  folder.mount.options = fmt::format("addr={},{}{}{}", address, kNfsOptions,
                                     folder.mount.options.empty() ? "" : ",", folder.mount.options);
  folder.name = folder.mount.source;
  folder.detail = "nfs, " + address;
  folder.network = true;
  return {};
}

Status Prepare(const Destination& destination, const CaptureContext& context,
               MountedFolder& folder) {
  if (destination.kind == Kind::kDevice) return PrepareDevice(destination, context, folder);
  if (destination.kind == Kind::kNfs) return PrepareNfs(destination, context, folder);
  folder.mount.source = destination.source;
  folder.mount.type = "virtiofs";
  folder.name = fmt::format("virtiofs:{}", destination.source);
  folder.detail = "virtiofs";
  return {};
}

}  // namespace

void AddMountOptions(std::string_view list, MountRequest& request) {
  constexpr struct {
    std::string_view name;
    unsigned long flag;
  } kFlags[] = {{"sync", MS_SYNCHRONOUS},
                {"dirsync", MS_DIRSYNC},
                {"noatime", MS_NOATIME},
                {"nodiratime", MS_NODIRATIME},
                {"relatime", MS_RELATIME},
                {"nodev", MS_NODEV},
                {"nosuid", MS_NOSUID},
                {"noexec", MS_NOEXEC},
                {"defaults", 0},
                {"rw", 0},
                {"ro", 0},
                {"auto", 0},
                {"noauto", 0},
                {"nofail", 0},
                {"_netdev", 0},
                {"user", 0},
                {"users", 0},
                {"nouser", 0},
                {"owner", 0},
                {"group", 0},
                {"dev", 0},
                {"suid", 0},
                {"exec", 0},
                {"atime", 0},
                {"async", 0},
                {"nobootwait", 0},
                {"bg", 0},
                {"fg", 0}};
  while (!list.empty()) {
    std::string_view option = list.substr(0, list.find(','));
    list.remove_prefix(std::min(option.size() + 1, list.size()));
    bool known = option.empty() || option.starts_with("x-") || option.starts_with("comment=");
    for (const auto& flag : kFlags) {
      if (flag.name != option) continue;
      request.flags |= flag.flag;
      known = true;
    }
    if (known) continue;
    if (!request.options.empty()) request.options += ',';
    request.options += option;
  }
}

void MountKernelFileSystems(const RootDir& root, CaptureSystem& system, CaptureLog& log) {
  const struct {
    const char* type;
    const char* target;
  } kMounts[] = {{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}};
  for (const auto& entry : kMounts) {
    std::string target = root.HostPath(entry.target);
    std::error_code ignored;
    std::filesystem::create_directories(target, ignored);
    Status mounted = system.Mount({entry.type, target, entry.type, MS_NOSUID | MS_NOEXEC});
    // EBUSY: the kernel mounts /dev itself (CONFIG_DEVTMPFS_MOUNT).
    if (!mounted && mounted.error().error_number() != EBUSY)
      log.Say("{}, ignoring", mounted.error().message());
  }
}

Result<MountedFolder> MountDestination(const Destination& destination,
                                       const CaptureContext& context) {
  MountedFolder folder;
  folder.mount_point = context.root.HostPath(kMountPoint);
  folder.mount.target = folder.mount_point;
  folder.mount.flags = kMountFlags;
  folder.mount.limit = context.config.mount_timeout;
  AddMountOptions(destination.mount_options, folder.mount);
  TRY(Prepare(destination, context, folder));
  TRY(MakeFolders(folder.mount_point));
  Status mounted =
      folder.network ? MountNfs(folder.mount, context) : MountAndCheck(folder.mount, context);
  if (!mounted) return mounted.error();
  return folder;
}

Status UnmountDestination(const MountedFolder& folder, const CaptureContext& context) {
  CaptureSystem& system = context.system;
  context.Begin("unmounting the destination");
  Status synced = system.SyncFileSystem(folder.mount_point);
  Status unmounted = system.Unmount(folder.mount_point, 0);
  if (unmounted) return synced;
  context.log.Say("{}; making it read-only instead", unmounted.error().message());
  MountRequest request = folder.mount;
  request.flags = MS_REMOUNT | MS_RDONLY;
  Status read_only = system.Mount(request);
  if (!read_only) context.log.Say("{}, ignoring", read_only.error().message());
  (void)system.Unmount(folder.mount_point, MNT_DETACH);
  return synced;
}

}  // namespace kdumpkit
