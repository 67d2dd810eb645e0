// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dry_system.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace kdumpkit {
namespace {

// As kdumpctl writes it.
std::string KeyOf(const MountRequest& request) {
  struct stat info = {};
  bool block = request.source.starts_with('/') && stat(request.source.c_str(), &info) == 0 &&
               S_ISBLK(info.st_mode);
  return block ? fmt::format("{}:{}", major(info.st_rdev), minor(info.st_rdev)) : request.source;
}

}  // namespace

const DryPlace* DrySystem::FindPlace(const MountRequest& request) const {
  std::string key = KeyOf(request);
  for (const DryPlace& place : dry_.places)
    if (place.key == key) return &place;
  return nullptr;
}

Status DrySystem::Mount(const MountRequest& request) {
  // It would change the running system's mount, too.
  if ((request.flags & MS_REMOUNT) != 0) return Unsupported("a dry run remounts nothing");
  if (const DryPlace* place = FindPlace(request)) {
    MountRequest bind{
        root_.HostPath(DryRun::FolderOf(static_cast<size_t>(place - dry_.places.data()))),
        request.target,
        "",
        MS_BIND | MS_REC,
        "",
        request.limit};
    TRY(RealSystem::Mount(bind));
    std::string inside = request.target + place->path;
    inside_[request.target] = inside;
    // What is written beside it would be in memory, and look well.
    if (TRY(IsMountPoint(inside))) return {};
    return Unsupported("'{}' is not the running system's folder", inside);
  }
  if (request.type == "nfs" || request.type == "virtiofs") return RealSystem::Mount(request);
  return Unsupported(
      "'{}' is not mounted in the running system, and a dry run mounts no disk; mount it and try "
      "again",
      request.source);
}

Status DrySystem::Unmount(const std::string& target, int flags) {
  inside_.erase(target);
  // A bind mount of places has others below it.
  return RealSystem::Unmount(target, flags | MNT_DETACH);
}

Status DrySystem::LoadModule(const std::string& path, const std::string& /*parameters*/) {
  if (access(path.c_str(), R_OK) == 0) return {};
  return Unsupported("there is no module '{}'", path);
}

std::string DrySystem::Inside(const std::string& path) const {
  auto found = inside_.find(path);
  return found == inside_.end() ? path : found->second;
}

Result<uint64_t> DrySystem::FreeBytes(const std::string& path) {
  return RealSystem::FreeBytes(Inside(path));
}

Status DrySystem::SyncFileSystem(const std::string& path) {
  return RealSystem::SyncFileSystem(Inside(path));
}

void DrySystem::Finish(EndAction /*action*/) { _exit(1); }

}  // namespace kdumpkit
