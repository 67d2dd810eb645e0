// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/dry_root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include "base/file.h"
#include "initramfs/unpack_image.h"

namespace kdumpkit {
namespace {

namespace fs = std::filesystem;

// The kernel's own file system of processes. /proc is a folder beside it that leads to some of it,
// because nobody can make a file in it.
constexpr const char kProc[] = "/.proc";
constexpr const char* kProcNames[] = {"cpuinfo",     "filesystems", "loadavg", "meminfo",
                                      "mounts",      "self",        "stat",    "swaps",
                                      "thread-self", "uptime",      "version"};
constexpr struct {
  const char* name;
  unsigned minor;
} kMemoryDevices[] = {{"null", 3}, {"zero", 5}, {"full", 7}, {"random", 8}, {"urandom", 9}};
constexpr unsigned kMemoryMajor = 1;

Status MakeFolders(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return SystemError(error.value(), fmt::format("cannot make '{}'", path));
  return {};
}

Status MountAt(const char* source, const std::string& target, const char* type,
               unsigned long flags) {
  if (mount(source, target.c_str(), type, flags, nullptr) == 0) return {};
  return SystemError(errno, fmt::format("cannot mount '{}' at '{}'", source, target));
}

// Read-only counts for this mount alone.
Status BindReadOnly(const char* source, const std::string& target) {
  TRY(MakeFolders(target));
  TRY(MountAt(source, target, nullptr, MS_BIND));
  return MountAt(source, target, nullptr,
                 MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
}

Status WriteNew(const std::string& path, ByteView bytes) {
  TRY(MakeFolders(fs::path(path).parent_path()));
  (void)unlink(path.c_str());
  UniqueFd fd = TRY(OpenFile(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  return WriteFully(fd.get(), bytes).In(path);
}

// The running system's folders, while its paths can still be named.
Status BindPlaces(const DryRoot& plan, const std::string& base) {
  for (size_t i = 0; i < plan.folders.size(); ++i) {
    std::string target = base + DryRun::FolderOf(i) + plan.run.places[i].path;
    TRY(MakeFolders(target));
    TRY(MountAt(plan.folders[i].c_str(), target, nullptr, MS_BIND));
  }
  TRY(WriteNew(base + kDryReport, {}));
  return MountAt(plan.report.c_str(), base + kDryReport, nullptr, MS_BIND);
}

Status EnterRoot(const std::string& base) {
  if (chdir(base.c_str()) != 0) return SystemError(errno, base);
  // The old root comes over the new one, and is taken off again (pivot_root(2), NOTES).
  if (syscall(SYS_pivot_root, ".", ".") != 0) return SystemError(errno, "cannot change the root");
  if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
    return SystemError(errno, "cannot leave the old root");
  return {};
}

Status MakeProc(const DryRoot& plan) {
  TRY(MakeFolders("/proc"));
  for (const char* name : kProcNames) {
    std::string link = fmt::format("/proc/{}", name);
    if (symlink(fmt::format("{}/{}", kProc, name).c_str(), link.c_str()) != 0)
      return SystemError(errno, fmt::format("cannot make '{}'", link));
  }
  TRY(WriteNew("/proc/vmcore", plan.vmcore));
  return WriteNew("/proc/cmdline", AsBytes(plan.command_line + "\n"));
}

// "8:1"
std::optional<dev_t> DeviceNumber(std::string_view text) {
  unsigned first = 0, second = 0;
  auto [colon, error] = std::from_chars(text.data(), text.data() + text.size(), first);
  if (error != std::errc() || colon == text.data() + text.size()) return std::nullopt;
  auto [end, wrong] = std::from_chars(colon + 1, text.data() + text.size(), second);
  if (wrong != std::errc()) return std::nullopt;
  return makedev(first, second);
}

// Without a node a device is not found, which kdump-capture says.
void MakeBlockDevices(const RootDir& root) {
  for (std::string name : root.List("/sys/class/block")) {
    std::string line = root.ReadLine(fmt::format("/sys/class/block/{}/dev", name)).value_or("");
    std::optional<dev_t> number = DeviceNumber(line);
    // Sysfs writes '!' for a slash.
    std::replace(name.begin(), name.end(), '!', '/');
    std::string node = "/dev/" + name;
    if (!number || !MakeFolders(fs::path(node).parent_path())) continue;
    (void)unlink(node.c_str());
    (void)mknod(node.c_str(), S_IFBLK | 0600, *number);
  }
}

Status MakeDevices() {
  TRY(MakeFolders("/dev"));
  for (const auto& device : kMemoryDevices) {
    std::string node = fmt::format("/dev/{}", device.name);
    (void)unlink(node.c_str());
    if (mknod(node.c_str(), S_IFCHR | 0666, makedev(kMemoryMajor, device.minor)) != 0)
      return SystemError(errno, fmt::format("cannot make '{}'", node));
  }
  (void)unlink("/dev/console");
  (void)symlink("null", "/dev/console");
  MakeBlockDevices(TRY(RootDir::Open("/")));
  return {};
}

}  // namespace

Status EnterDryRoot(const DryRoot& plan, const std::string& base) {
  (void)umask(0);
  TRY(MountAt("tmpfs", base, "tmpfs", MS_NOSUID));
  if (chmod(base.c_str(), 0755) != 0) return SystemError(errno, base);
  TRY(BindReadOnly("/sys", base + "/sys"));
  TRY(MakeFolders(base + kProc));
  TRY(MountAt("proc", base + kProc, "proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC));
  TRY(BindPlaces(plan, base));
  TRY(EnterRoot(base));
  TRY(UnpackImage(plan.image, "").In("the image cannot be unpacked"));
  TRY(MakeProc(plan));
  TRY(MakeDevices());
  (void)umask(022);
  return WriteNew(kDryRunFile, AsBytes(DryRunText(plan.run)));
}

}  // namespace kdumpkit
