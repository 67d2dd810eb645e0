// SPDX-License-Identifier: GPL-2.0-or-later
// The machine of a dry run ("kdumpctl test --dry"): a running one, of which nothing may be changed
// but the test's own folder at the destination.
#pragma once

#include <map>
#include <string>

#include "base/file.h"
#include "capture/real_system.h"
#include "config/dry_run.h"

namespace kdumpkit {

class DrySystem : public RealSystem {
 public:
  // `places` are in `root`; both are borrowed.
  DrySystem(const RootDir& root, const DryRun& dry) : root_(root), dry_(dry) {}

  // What the running system has mounted is put in place a second time only by a bind mount. Of the
  // rest, servers and the virtual machine's host are mounted in this namespace; a block device
  // never is (kUnsupported).
  Status Mount(const MountRequest& request) override;
  Status Unmount(const std::string& target, int flags) override;
  // Loads nothing: the running kernel may be another one.
  Status LoadModule(const std::string& path, const std::string& parameters) override;
  Result<uint64_t> FreeBytes(const std::string& path) override;
  Status SyncFileSystem(const std::string& path) override;
  // Ends this process as failed, and nothing else. Only the capture's own watchdog comes here.
  void Finish(EndAction action) override;

 private:
  const DryPlace* FindPlace(const MountRequest& request) const;
  // A folder that is on the file system that is mounted at `path`.
  std::string Inside(const std::string& path) const;

  const RootDir& root_;
  const DryRun& dry_;
  std::map<std::string, std::string> inside_;  // by mount point
};

}  // namespace kdumpkit
