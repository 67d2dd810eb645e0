// SPDX-License-Identifier: GPL-2.0-or-later
// The calls by which kdump-capture changes the machine or waits for it. The real ones are in
// real_system.h; tests have a fake, so that every step and fault is tested without privilege.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>

#include "base/error.h"
#include "config/config.h"

namespace kdumpkit {

// What a block device holds; fields are empty when it has none.
struct FileSystemId {
  std::string type;  // as mount(2) names it: "ext4"
  std::string uuid;
  std::string label;
  std::string part_uuid;  // of the partition, whatever it holds
  std::string part_label;
};

struct MountRequest {
  std::string source;
  std::string target;
  std::string type;
  unsigned long flags = 0;  // MS_*
  std::string options;      // of the file system: "vers=4.2,soft"
  // The longest it may take; zero: as long as it does.
  std::chrono::milliseconds limit{0};
};

// A device of device mapper, of one target.
struct MapRequest {
  std::string name;  // in /dev/mapper
  std::string uuid;  // of the LUKS header
  uint64_t sectors = 0;
  std::string type;   // of the target: "crypt"
  std::string table;  // its parameters
};

class CaptureSystem {
 public:
  virtual ~CaptureSystem() = default;

  // One that takes too long is given up; then the error number is ETIMEDOUT.
  virtual Status Mount(const MountRequest& request) = 0;
  virtual Status Unmount(const std::string& target, int flags) = 0;
  // A module that is loaded already is no error. `parameters`: "name=value name=value".
  virtual Status LoadModule(const std::string& path, const std::string& parameters) = 0;
  // True when a file system is mounted exactly here.
  virtual Result<bool> IsMountPoint(const std::string& path) = 0;
  // Bytes that root may still write to the file system of `path`.
  virtual Result<uint64_t> FreeBytes(const std::string& path) = 0;
  // Returns when all of the file system is on its device, or the device's error.
  virtual Status SyncFileSystem(const std::string& path) = 0;
  // Looks at a block device's superblock; kUnsupported when it holds nothing known and is no
  // partition with a UUID either.
  virtual Result<FileSystemId> Probe(const std::string& device) = 0;

  // See device_mapper.h.
  virtual Status MapDevice(const MapRequest& request) = 0;

  // Seconds since 1970, for the name of the dump's folder.
  virtual time_t WallClock() = 0;
  // Time that only grows, for waits.
  virtual std::chrono::milliseconds Uptime() = 0;
  virtual void Sleep(std::chrono::milliseconds duration) = 0;

  // Ends this kernel; returns only if the kernel refuses. A shell is none of its actions.
  virtual void Finish(EndAction action) = 0;
};

}  // namespace kdumpkit
