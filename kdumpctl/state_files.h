// SPDX-License-Identifier: GPL-2.0-or-later
// Where kdumpctl keeps what it has to remember, and the lock that lets only one change it.
#pragma once

#include <chrono>
#include <string>

#include "base/file.h"
#include "base/unique_fd.h"

namespace kdumpkit {

inline constexpr const char kStateFolder[] = "/var/lib/kdump";
inline constexpr const char kRunFolder[] = "/run/kdump";
// What was loaded in this boot; see LoadRecord.
inline constexpr const char kLoadedFile[] = "/run/kdump/loaded.json";

// "/var/lib/kdump/initramfs-RELEASE.img", and what is recorded about it.
std::string ImagePath(const std::string& release);
std::string RecordPath(const std::string& release);

// Makes /var/lib/kdump, readable by everybody.
Status MakeStateFolder(const RootDir& root);

// Writes a file through NAME-incomplete, which is renamed once it is on the disk; folders above
// are made. Errors leave the old file.
Status WriteStateFile(const RootDir& root, const std::string& path, std::string_view text,
                      unsigned permissions = 0644);

// Held while the crash kernel or its image are changed; the kernel lets go of it at the end of the
// process. Readers take none.
class ServiceLock {
 public:
  // Waits for another kdumpctl at most so long; then the error names its process.
  static Result<ServiceLock> Take(const RootDir& root, std::chrono::seconds limit);
  // The lock of another purpose, "hotplug": does not wait. Error: someone has it.
  static Result<ServiceLock> TryNamed(const RootDir& root, const std::string& name);

 private:
  explicit ServiceLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace kdumpkit
