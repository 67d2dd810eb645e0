// SPDX-License-Identifier: GPL-2.0-or-later
// A destination on a server behind ssh.
#pragma once

#include <optional>

#include "capture/context.h"
#include "capture/ssh.h"
#include "capture/target.h"

namespace kdumpkit {

class SshTarget : public Target {
 public:
  static SshAccess AccessOf(const Destination& destination, const CaptureConfig& config);
  // Goes on trying while the server does not answer, for `patience`. `path` is the folder for dumps
  // there. `context` is borrowed.
  static Result<std::unique_ptr<Target>> Open(SshAccess access, std::string path,
                                              std::chrono::seconds patience,
                                              const CaptureContext& context);

  std::string Describe(std::string_view name) const override;
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
  // Each file was written to the server's disk when it ended.
  Status Close() override { return {}; }

 private:
  SshTarget(SshAccess access, std::string path, const CaptureContext& context);

  Status WaitForServer(std::chrono::seconds patience);
  // Of the file that was just written, as the server has it on its disk.
  Result<std::string> RemoteDigest(const std::string& path, uint64_t size);
  std::string PathOf(std::string_view name) const { return fmt::format("{}/{}", folder_, name); }

  const CaptureContext& context_;
  SshAccess access_;
  SshHost host_;
  std::string parent_;  // of the dump's folder
  std::string folder_;
  std::string name_;  // of the file being written
  std::optional<SshStream> stream_;
};

}  // namespace kdumpkit
