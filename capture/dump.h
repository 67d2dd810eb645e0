// SPDX-License-Identifier: GPL-2.0-or-later
// Saves the dead kernel's log and memory through the dump filter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "capture/config.h"
#include "capture/filter_child.h"
#include "capture/system.h"

namespace kdumpkit {

inline constexpr std::string_view kDmesgName = "vmcore-dmesg.txt";
inline constexpr std::string_view kVmcoreName = "vmcore";
// What the filter calls its file until it is whole.
inline constexpr std::string_view kIncompleteName = "vmcore-incomplete";

enum class DumpState { kComplete, kPartial, kFailed };

struct DumpResult {
  DumpState state = DumpState::kFailed;
  std::string file;    // name in the folder; empty when there is none
  uint64_t size = 0;   // of that file
  std::string reason;  // why it is not complete
};

// Runs the filter; `vmcore` is /proc/vmcore.
class Dumper {
 public:
  // All references are borrowed.
  Dumper(std::string filter, std::string vmcore, const CaptureConfig& config, CaptureSystem& system,
         CaptureLog& log, Watchdog& watchdog)
      : filter_(std::move(filter)),
        vmcore_(std::move(vmcore)),
        config_(config),
        system_(system),
        log_(log),
        watchdog_(watchdog) {}

  // Writes the dead kernel's log to a new file that is on its device on return; gives its size.
  Result<uint64_t> SaveDmesg(const std::string& path);

  // Writes the dump into `folder`. A filter that fails is run once more with one thread, unless
  // the destination is full. What a failed one leaves behind is named vmcore-incomplete.
  DumpResult SaveVmcore(const std::string& folder);

 private:
  enum class Attempt { kFirst, kSecond };

  std::vector<std::string> Arguments(const std::string& folder, Attempt attempt) const;
  DumpResult TryOnce(const std::string& folder, Attempt attempt);
  bool HasRoom(const std::string& folder);

  std::string filter_;
  std::string vmcore_;
  const CaptureConfig& config_;
  CaptureSystem& system_;
  CaptureLog& log_;
  Watchdog& watchdog_;
  bool options_refused_ = false;  // the filter called the first attempt a usage error
};

}  // namespace kdumpkit
