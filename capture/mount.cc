// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/mount.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

namespace kdumpkit {
namespace {

constexpr std::string_view kMountPoint = "/kdump";
constexpr uint64_t kMinimumRoom = uint64_t{64} << 20;
// More dumps than this in one second are not crashes.
constexpr int kMaxSameName = 100;

Status MakeFolders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return SystemError(error.value(), fmt::format("cannot create folder '{}'", path));
  return {};
}

// UTC: the capture kernel knows no time zone.
std::string TimeText(time_t when) {
  tm parts = {};
  gmtime_r(&when, &parts);
  char text[32];
  size_t size = strftime(text, sizeof(text), "%Y-%m-%d-%H:%M:%S", &parts);
  return {text, size};
}

Result<std::string> MakeDumpFolder(const std::string& parent, const std::string& name) {
  TRY(MakeFolders(parent));
  for (int number = 1; number < kMaxSameName; ++number) {
    std::string path = number == 1 ? fmt::format("{}/{}", parent, name)
                                   : fmt::format("{}/{}-{}", parent, name, number);
    if (mkdir(path.c_str(), 0700) == 0) return path;
    if (errno != EEXIST) return SystemError(errno, fmt::format("cannot create folder '{}'", path));
  }
  return SystemError(EEXIST, fmt::format("cannot create folder '{}/{}'", parent, name));
}

std::string MountHint(const Error& error, const std::string& type) {
  if (error.error_number() == ENODEV)
    return fmt::format(" (is the module of '{}' in the image?)", type);
  return {};
}

Status MountDevice(const Device& device, const std::string& target, const RootDir& root,
                   CaptureSystem& system) {
  TRY(MakeFolders(target));
  constexpr unsigned long kFlags = MS_NOATIME | MS_NODEV | MS_NOSUID | MS_NOEXEC;
  Status mounted = system.Mount({root.HostPath(device.path), target, device.id.type, kFlags});
  if (!mounted) {
    const Error& error = mounted.error();
    return Error(error.kind(), error.error_number(),
                 error.message() + MountHint(error, device.id.type));
  }
  // A dump written into the initramfs would look well and be gone after the reboot.
  if (TRY(system.IsMountPoint(target))) return {};
  return Error(ErrorKind::kSystem,
               fmt::format("'{}' is not a mount point although '{}' was mounted there", target,
                           device.path));
}

// The size of /proc/vmcore is that of the dead kernel's memory.
uint64_t MemorySize(const RootDir& root) {
  struct stat vmcore = {};
  if (stat(root.HostPath("/proc/vmcore").c_str(), &vmcore) != 0) return 0;
  return static_cast<uint64_t>(vmcore.st_size);
}

void ReportRoom(const Destination& destination, const CaptureConfig& config, const RootDir& root,
                CaptureSystem& system, CaptureLog& log) {
  Result<uint64_t> free = system.FreeBytes(destination.mount_point);
  if (!free) return log.Say("{}, ignoring", free.error().message());
  uint64_t memory = MemorySize(root);
  uint64_t needed = EstimateRoom(memory, config.level);
  const Device& device = destination.device;
  log.Say("destination: {} ({}{}{}) mounted, {} free; memory: {}", device.path, device.id.type,
          device.id.uuid.empty() ? "" : ", UUID=", device.id.uuid, SizeText(*free),
          SizeText(memory));
  if (*free < needed)
    log.Say("warning: {} free, a dump at level {} may need {}; trying all the same",
            SizeText(*free), config.level, SizeText(needed));
}

Status PrepareFolder(Destination& destination, const CaptureConfig& config, CaptureSystem& system) {
  std::string name = fmt::format("{}-{}", config.host, TimeText(system.WallClock()));
  std::string parent = destination.mount_point + (config.path == "/" ? "" : config.path);
  destination.folder = TRY(MakeDumpFolder(parent, name));
  return {};
}

}  // namespace

std::string Destination::Describe(std::string_view name) const {
  return fmt::format("{}:{}/{}", device.path, folder.substr(mount_point.size()), name);
}

uint64_t EstimateRoom(uint64_t memory, unsigned level) {
  // Bit 16 leaves free pages out. Most kernels' own pages are well below a tenth of memory, and
  // what is left of other pages shrinks to about one half.
  constexpr unsigned kFreePages = 16;
  return kMinimumRoom + memory / ((level & kFreePages) != 0 ? 10 : 2);
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

Result<Destination> OpenDestination(const CaptureConfig& config, const RootDir& root,
                                    CaptureSystem& system, CaptureLog& log) {
  if (config.destination.empty())
    return UsageError("no destination: 'kdump.dest=' is not on the command line");
  Destination destination;
  destination.device = TRY(WaitForDevice(config, root, system, log));
  destination.mount_point = root.HostPath(kMountPoint);
  TRY(MountDevice(destination.device, destination.mount_point, root, system));
  ReportRoom(destination, config, root, system, log);
  Status prepared = PrepareFolder(destination, config, system);
  if (prepared) return destination;
  (void)CloseDestination(destination, system, log);
  return prepared.error();
}

Status CloseDestination(const Destination& destination, CaptureSystem& system, CaptureLog& log) {
  Status synced = system.SyncFileSystem(destination.mount_point);
  Status unmounted = system.Unmount(destination.mount_point, 0);
  if (unmounted) return synced;
  log.Say("{}; making it read-only instead", unmounted.error().message());
  Status read_only = system.Mount({destination.device.path, destination.mount_point,
                                   destination.device.id.type, MS_REMOUNT | MS_RDONLY});
  if (!read_only) log.Say("{}, ignoring", read_only.error().message());
  (void)system.Unmount(destination.mount_point, MNT_DETACH);
  return synced;
}

}  // namespace kdumpkit
