// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/real_system.h"

#include <blkid/blkid.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <thread>

#include "base/file.h"
#include "capture/device_mapper.h"

namespace kdumpkit {
namespace {

// How long the kernel may take to shut its devices down before it is forced.
constexpr unsigned kForceAfterSeconds = 30;

struct FreeProbe {
  void operator()(blkid_probe probe) const { blkid_free_probe(probe); }
};
using Probe = std::unique_ptr<std::remove_pointer_t<blkid_probe>, FreeProbe>;

std::string Lookup(blkid_probe probe, const char* name) {
  const char* value = nullptr;
  if (blkid_probe_lookup_value(probe, name, &value, nullptr) != 0) return {};
  return value;
}

// Runs beside reboot(2), which calls every driver and may never come back from a broken one.
void* ForceEnd(void* sysrq_key) {
  sleep(kForceAfterSeconds);
  Result<UniqueFd> trigger = OpenFile("/proc/sysrq-trigger", O_WRONLY);
  if (trigger) (void)WriteFully(trigger->get(), AsBytes(static_cast<const char*>(sysrq_key)));
  return nullptr;
}

// An errno value, 0 for success.
int MountNow(const MountRequest& request) {
  const char* options = request.options.empty() ? nullptr : request.options.c_str();
  bool done = mount(request.source.c_str(), request.target.c_str(), request.type.c_str(),
                    request.flags, options) == 0;
  return done ? 0 : errno;
}

// A server that is gone, or a dying disk, may hold mount(2) for hours. So a child makes the call; a
// mount belongs to all of the namespace. Between fork and exit it only makes system calls.
int MountInTime(const MountRequest& request) {
  constexpr auto kStep = std::chrono::milliseconds(20);
  pid_t pid = fork();
  if (pid < 0) return MountNow(request);
  if (pid == 0) _exit(MountNow(request));
  auto deadline = std::chrono::steady_clock::now() + request.limit;
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() >= deadline) {
      // It is not waited for: it may hang in the kernel for good.
      kill(pid, SIGKILL);
      return ETIMEDOUT;
    }
    std::this_thread::sleep_for(kStep);
  }
  // An errno value is below 134 on every machine.
  return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

int RebootCommand(EndAction action) {
  if (action == EndAction::kPowerOff) return RB_POWER_OFF;
  if (action == EndAction::kHalt) return static_cast<int>(RB_HALT_SYSTEM);
  return RB_AUTOBOOT;
}

}  // namespace

Status RealSystem::Mount(const MountRequest& request) {
  int error = request.limit.count() == 0 ? MountNow(request) : MountInTime(request);
  if (error == 0) return {};
  return SystemError(error, fmt::format("cannot mount '{}' ({}) on '{}'", request.source,
                                        request.type, request.target));
}

Status RealSystem::Unmount(const std::string& target, int flags) {
  if (umount2(target.c_str(), flags) == 0) return {};
  return SystemError(errno, fmt::format("cannot unmount '{}'", target));
}

Status RealSystem::LoadModule(const std::string& path, const std::string& parameters) {
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY));
  if (syscall(SYS_finit_module, fd.get(), parameters.c_str(), 0) == 0 || errno == EEXIST) return {};
  return SystemError(errno, fmt::format("cannot load module '{}'", path));
}

Result<bool> RealSystem::IsMountPoint(const std::string& path) {
  // STATX_ATTR_MOUNT_ROOT: Linux commit 80340fe3605c ("statx: add mount_root") (in v5.8).
  struct statx here = {};
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS, &here) != 0)
    return SystemError(errno, fmt::format("cannot examine '{}'", path));
  if ((here.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0)
    return (here.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  struct stat inside = {}, above = {};
  if (stat(path.c_str(), &inside) != 0 || stat((path + "/..").c_str(), &above) != 0)
    return SystemError(errno, fmt::format("cannot examine '{}'", path));
  return inside.st_dev != above.st_dev || inside.st_ino == above.st_ino;
}

Result<uint64_t> RealSystem::FreeBytes(const std::string& path) {
  struct statvfs room = {};
  if (statvfs(path.c_str(), &room) != 0)
    return SystemError(errno, fmt::format("cannot ask for the free space of '{}'", path));
  return uint64_t{room.f_bfree} * room.f_frsize;
}

Status RealSystem::SyncFileSystem(const std::string& path) {
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY | O_DIRECTORY));
  if (syncfs(fd.get()) == 0) return {};
  return SystemError(errno, fmt::format("cannot write '{}' to its device", path));
}

Result<FileSystemId> RealSystem::Probe(const std::string& device) {
  UniqueFd fd = TRY(OpenFile(device, O_RDONLY));
  kdumpkit::Probe probe(blkid_new_probe());
  if (!probe || blkid_probe_set_device(probe.get(), fd.get(), 0, 0) != 0)
    return Unsupported("cannot examine '{}'", device);
  blkid_probe_enable_superblocks(probe.get(), 1);
  blkid_probe_set_superblocks_flags(probe.get(),
                                    BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID | BLKID_SUBLKS_LABEL);
  // Of a partition's own table entry, which stands on the whole disk.
  blkid_probe_enable_partitions(probe.get(), 1);
  blkid_probe_set_partitions_flags(probe.get(), BLKID_PARTS_ENTRY_DETAILS);
  int found = blkid_do_safeprobe(probe.get());
  if (found == -2) return Unsupported("'{}' has marks of several file systems", device);
  FileSystemId id{Lookup(probe.get(), "TYPE"), Lookup(probe.get(), "UUID"),
                  Lookup(probe.get(), "LABEL"), Lookup(probe.get(), "PART_ENTRY_UUID"),
                  Lookup(probe.get(), "PART_ENTRY_NAME")};
  if (found != 0 || (id.type.empty() && id.part_uuid.empty()))
    return Unsupported("'{}' has no known file system", device);
  return id;
}

Status RealSystem::MapDevice(const MapRequest& request) { return kdumpkit::MapDevice(request); }

time_t RealSystem::WallClock() { return time(nullptr); }

std::chrono::milliseconds RealSystem::Uptime() {
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::milliseconds(now.tv_nsec / 1'000'000);
}

void RealSystem::Sleep(std::chrono::milliseconds duration) {
  std::this_thread::sleep_for(duration);
}

void RealSystem::Finish(EndAction action) {
  // Sysrq: 'b' resets at once, 'o' powers off. There is none that halts.
  static char reset[] = "b", power_off[] = "o";
  pthread_t forcer;
  if (action != EndAction::kHalt)
    (void)pthread_create(&forcer, nullptr, ForceEnd,
                         action == EndAction::kPowerOff ? power_off : reset);
  (void)reboot(RebootCommand(action));
}

}  // namespace kdumpkit
