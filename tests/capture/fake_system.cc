// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/capture/fake_system.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>

#include "base/file.h"
#include "capture/config.h"

namespace kdumpkit {

Status FakeSystem::Mount(const MountRequest& request) {
  calls.push_back(fmt::format("mount {} {} {}", request.source, request.target, request.type));
  mount_options.push_back(request.options);
  now += mount_takes;
  for (const auto& [prefix, error] : options_errors)
    if (request.options.starts_with(prefix))
      return SystemError(error, fmt::format("cannot mount '{}'", request.source));
  if (auto error = mount_errors.find(request.type); error != mount_errors.end())
    return SystemError(error->second, fmt::format("cannot mount '{}'", request.source));
  if (!mounts_nothing) mounted_.insert(request.target);
  return {};
}

Status FakeSystem::Unmount(const std::string& target, int flags) {
  calls.push_back(fmt::format("unmount {}{}", target, flags != 0 ? " lazily" : ""));
  if (unmount_error != 0 && flags == 0) return SystemError(unmount_error, "cannot unmount");
  mounted_.erase(target);
  return {};
}

Status FakeSystem::LoadModule(const std::string& path, const std::string& parameters) {
  calls.push_back(fmt::format("module {} {}", path, parameters));
  if (auto error = module_errors.find(path); error != module_errors.end())
    return SystemError(error->second, fmt::format("cannot load module '{}'", path));
  return {};
}

Result<bool> FakeSystem::IsMountPoint(const std::string& path) { return mounted_.contains(path); }

Result<uint64_t> FakeSystem::FreeBytes(const std::string&) { return free_bytes; }

Status FakeSystem::SyncFileSystem(const std::string& path) {
  std::unique_lock lock(mutex_);
  calls.push_back(fmt::format("sync {}", path));
  if (sync_hangs) finish_called_.wait(lock, [this] { return finished_; });
  if (sync_error != 0) return SystemError(sync_error, "cannot write to the device");
  return {};
}

Result<FileSystemId> FakeSystem::Probe(const std::string& device) {
  auto found = devices.find(device);
  if (found == devices.end() || appears_at[device] > now)
    return SystemError(ENOENT, fmt::format("cannot open '{}'", device));
  if (found->second.type.empty() && found->second.part_uuid.empty())
    return Unsupported("'{}' has no known file system", device);
  return found->second;
}

Status FakeSystem::MapDevice(const MapRequest& request) {
  calls.push_back(
      fmt::format("map {} {} {} {}", request.name, request.sectors, request.type, request.table));
  return map_error == 0 ? Status() : SystemError(map_error, "cannot map");
}

void FakeSystem::Finish(EndAction action) {
  std::lock_guard lock(mutex_);
  calls.push_back(fmt::format("finish {}", Describe(action)));
  finished_ = true;
  finish_called_.notify_all();
}

bool FakeSystem::Called(const std::string& call) const {
  return std::find(calls.begin(), calls.end(), call) != calls.end();
}

std::vector<std::string> FakeSystem::CallsOf(const std::string& prefix) const {
  std::vector<std::string> found;
  std::copy_if(calls.begin(), calls.end(), std::back_inserter(found),
               [&](const std::string& call) { return call.starts_with(prefix); });
  return found;
}

FakeConsole::FakeConsole(const std::string& path) : path_(path) {
  Result<UniqueFd> fd = OpenFile(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  CHECK(fd.has_value());
  fd_ = std::move(*fd);
}

std::string FakeConsole::text() const {
  std::ifstream stream(path_, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

bool FakeConsole::Shows(const std::string& part) const {
  return text().find(part) != std::string::npos;
}

}  // namespace kdumpkit
