// SPDX-License-Identifier: GPL-2.0-or-later
// CaptureSystem by system calls.
#pragma once

#include "capture/system.h"

namespace kdumpkit {

class RealSystem : public CaptureSystem {
 public:
  Status Mount(const MountRequest& request) override;
  Status Unmount(const std::string& target, int flags) override;
  Status LoadModule(const std::string& path, const std::string& parameters) override;
  Result<bool> IsMountPoint(const std::string& path) override;
  Result<uint64_t> FreeBytes(const std::string& path) override;
  Status SyncFileSystem(const std::string& path) override;
  Result<FileSystemId> Probe(const std::string& device) override;
  Status MapDevice(const MapRequest& request) override;
  time_t WallClock() override;
  std::chrono::milliseconds Uptime() override;
  void Sleep(std::chrono::milliseconds duration) override;
  // A kernel that hangs in its orderly way down is forced after a while (sysrq).
  void Finish(EndAction action) override;
};

}  // namespace kdumpkit
