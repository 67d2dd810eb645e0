// SPDX-License-Identifier: GPL-2.0-or-later
// What the service does: see that there is a fresh capture image, and that the crash kernel is
// loaded with it. A failure never unloads a crash kernel that is loaded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/parse.h"
#include "kdumpctl/image_record.h"
#include "kdumpctl/live_system.h"

namespace kdumpkit {

// What was loaded, kept in /run/kdump/loaded.json.
struct LoadRecord {
  std::string boot_id;  // of the boot that it was loaded in
  std::string kernel;   // its file
  std::string kernel_sha256;
  std::string image;
  std::string image_sha256;
  std::string command_line;
  std::vector<std::string> arguments;  // kexec_args

  bool operator==(const LoadRecord&) const = default;
};
std::optional<LoadRecord> ReadLoadRecord(const RootDir& root);

// The state of this machine as /sys has it.
struct CrashState {
  bool supported = false;  // the kernel can load crash kernels
  bool loaded = false;
  uint64_t reserved = 0;        // bytes
  bool busy = false;            // `reserved` cannot be told: a kernel is being (un)loaded
  bool capture_kernel = false;  // this is one, just now
};
CrashState ReadCrashState(const RootDir& root);
// Why no crash kernel can be loaded here; empty: one can.
std::string WhyNoCrashKernel(const CrashState& state);

struct ImageRequest {
  bool force = false;     // build in any case
  bool may_build = true;  // else the image is taken as it is
};

class Service {
 public:
  Service(const RootDir& root, LiveSystem& system) : root_(root), system_(system) {}

  // Reads kdump.conf. All its mistakes stand in the error, a line each.
  Status ReadConfig();
  // Overrides image_builder.
  Status UseBuilder(const std::string& name);
  // Sees that there is an image, and builds it where it is missing or stale.
  Status EnsureImage(const ImageRequest& request);
  // Loads the crash kernel with the image that record() tells of, unless `always` is false and the
  // same one is loaded.
  Status Load(bool always, const std::string& test_id = "");
  Status Unload();

  // What the capture kernel is told in a test.
  std::string TestCommandLine(const std::string& test_id) const {
    return WantedLoad(test_id).command_line;
  }

  // What was found and done, for reports.
  const Config& config() const { return config_; }
  const CapturePlan* plan() const { return plan_ ? &*plan_ : nullptr; }
  const ImageContents* contents() const { return contents_ ? &*contents_ : nullptr; }
  const ImageRecord* record() const { return record_ ? &*record_ : nullptr; }
  const std::vector<std::string>& stale_reasons() const { return stale_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  bool built() const { return built_; }
  bool loaded_now() const { return loaded_now_; }
  const std::string& command_line() const { return command_line_; }

  // The plan and how far the image agrees with it; builds nothing.
  Status Check();

 private:
  Status MakePlan();
  Status Build();
  Status OfferKeys();
  LoadRecord WantedLoad(const std::string& test_id) const;

  const RootDir& root_;
  LiveSystem& system_;
  Config config_;
  std::optional<KernelChoice> kernel_;
  std::optional<CapturePlan> plan_;
  std::optional<ImageContents> contents_;
  std::optional<ImageRecord> record_;
  std::vector<std::string> stale_;
  std::vector<std::string> warnings_;
  std::string command_line_;
  bool touched_ = false;
  bool built_ = false;
  bool loaded_now_ = false;
};

}  // namespace kdumpkit
