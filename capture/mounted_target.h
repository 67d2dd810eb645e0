// SPDX-License-Identifier: GPL-2.0-or-later
// A destination that is a mounted file system.
#pragma once

#include "base/unique_fd.h"
#include "capture/mount.h"
#include "capture/target.h"

namespace kdumpkit {

class MountedTarget : public Target {
 public:
  // Mounts it and says what it is. `context` is borrowed.
  static Result<std::unique_ptr<Target>> Open(const Destination& destination,
                                              const CaptureContext& context);

  std::string Describe(std::string_view name) const override;
  std::string folder() const override { return folder_; }
  Result<std::optional<uint64_t>> Room() override;
  std::vector<std::string> DumpNames() override;
  Status MakeFolder(const std::string& name) override;
  Status Begin(const std::string& name) override;
  Status Write(ByteView bytes) override;
  Result<Verified> End(const Digest& written) override;
  void Abandon() override;
  void SetAside(const std::string& name) override;
  void DropAside(const std::string& name) override;
  Status RemoveFolder() override;
  Status Close() override;

 private:
  // With "-2" and so on behind a name that is taken. 0, or the error's number.
  int MakeNumberedFolder(const std::string& name);
  MountedTarget(const CaptureContext& context, MountedFolder mounted, std::string parent)
      : context_(context), mounted_(std::move(mounted)), parent_(std::move(parent)) {}

  const CaptureContext& context_;
  MountedFolder mounted_;
  std::string parent_;  // of the dump's folder
  std::string folder_;
  std::string path_;  // of the file being written, without "-incomplete"
  UniqueFd file_;
};

// Gives FOLDER/NAME-incomplete its name, when all of it is on its device.
Status FinishFile(const std::string& folder, std::string_view name);

// The digest of a file as it is on its device. It takes as long as it takes, as long as it goes on.
Result<Digest> DigestOfFile(const std::string& path, const CaptureContext& context);

}  // namespace kdumpkit
