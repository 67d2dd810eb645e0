// SPDX-License-Identifier: GPL-2.0-or-later
// A destination that is a block device without a file system (raw_area.h).
#pragma once

#include "base/unique_fd.h"
#include "capture/context.h"
#include "capture/raw_area.h"
#include "capture/target.h"

namespace kdumpkit {

class RawTarget : public Target {
 public:
  // Waits for the device. One that has a file system, or a dump that was not recovered yet, is
  // refused. `context` is borrowed.
  static Result<std::unique_ptr<Target>> Open(const Destination& destination,
                                              const CaptureContext& context);

  std::string Describe(std::string_view name) const override;
  Result<std::optional<uint64_t>> Room() override;
  bool IsShared() const override { return false; }
  // A dump is recovered before the next one is written, so there is never another one.
  std::vector<std::string> DumpNames() override { return {}; }
  Status MakeFolder(const std::string& name) override;
  Status Begin(const std::string& name) override;
  Status Write(ByteView bytes) override;
  Result<Verified> End(const Digest& written) override;
  void Abandon() override;
  // Each try is a part of its own.
  void SetAside(const std::string&) override {}
  void DropAside(const std::string&) override {}
  Status RemoveFolder() override;
  Status Close() override;

 private:
  RawTarget(const CaptureContext& context, std::string path, UniqueFd fd, uint64_t size)
      : context_(context), path_(std::move(path)), fd_(std::move(fd)), size_(size) {}

  Status WriteHeader();
  Result<Digest> ReadBack(const RawPart& part);

  const CaptureContext& context_;
  std::string path_;
  UniqueFd fd_;
  uint64_t size_;  // of the device
  RawHeader header_;
  Sha256 hash_;  // of the part being written, which is the last one of the header
};

}  // namespace kdumpkit
