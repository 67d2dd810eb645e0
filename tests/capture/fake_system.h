// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "capture/system.h"

namespace kdumpkit {

// A machine of memory: records what is asked of it, and fails where a test says so. Time passes
// only while it sleeps.
class FakeSystem : public CaptureSystem {
 public:
  Status Mount(const MountRequest& request) override;
  Status Unmount(const std::string& target, int flags) override;
  Status LoadModule(const std::string& path, const std::string& parameters) override;
  Result<bool> IsMountPoint(const std::string& path) override;
  Result<uint64_t> FreeBytes(const std::string& path) override;
  Status SyncFileSystem(const std::string& path) override;
  Result<FileSystemId> Probe(const std::string& device) override;
  Status MapDevice(const MapRequest& request) override;
  time_t WallClock() override { return 1700000000; }  // 2023-11-14 22:13:20 UTC
  std::chrono::milliseconds Uptime() override { return now; }
  void Sleep(std::chrono::milliseconds duration) override { now += duration; }
  void Finish(EndAction action) override;

  bool Called(const std::string& call) const;
  // Calls that begin with the text.
  std::vector<std::string> CallsOf(const std::string& prefix) const;

  // What there is. Devices by path; one appears at its time.
  std::map<std::string, FileSystemId> devices;
  std::map<std::string, std::chrono::milliseconds> appears_at;
  std::chrono::milliseconds now{0};
  uint64_t free_bytes = uint64_t{100} << 30;

  // What fails: mounts of a type and modules of a path with an errno, and so on.
  std::map<std::string, int> mount_errors;
  std::map<std::string, int> module_errors;
  std::map<std::string, int> options_errors;  // mounts with options that begin so
  int map_error = 0;                          // of MapDevice
  bool mounts_nothing = false;                // mount(2) succeeds without effect
  std::chrono::milliseconds mount_takes{0};
  std::vector<std::string> mount_options;  // of each mount
  int unmount_error = 0;                   // of an ordinary unmount
  int sync_error = 0;
  bool sync_hangs = false;  // until the final action

  // What was done: "mount /dev/vda /kdump ext4", "unmount /kdump", "module PATH PARAMETERS",
  // "sync /kdump", "finish reboot".
  std::vector<std::string> calls;

 private:
  std::set<std::string> mounted_;
  // The final action may come from the watchdog's thread.
  std::mutex mutex_;
  std::condition_variable finish_called_;
  bool finished_ = false;
};

// A file that stands for the console.
class FakeConsole {
 public:
  explicit FakeConsole(const std::string& path);
  int fd() const { return fd_.get(); }
  std::string text() const;
  bool Shows(const std::string& part) const;

 private:
  std::string path_;
  UniqueFd fd_;
};

}  // namespace kdumpkit
