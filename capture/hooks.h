// SPDX-License-Identifier: GPL-2.0-or-later
// The administrator's programs around a dump (kdump.conf(5): kdump_pre, kdump_post,
// kdump_emergency and the folders below /etc/kdump).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/file.h"
#include "capture/log.h"
#include "capture/watchdog.h"

namespace kdumpkit {

enum class HookKind {
  kPre,        // before the dump: the configured program, then those of pre.d
  kPost,       // after it: those of post.d, then the configured one; $1 is the dump's exit status
  kEmergency,  // when the capture failed: those of emergency.d, then the configured one
};

struct HookRun {
  std::string program;  // as it is configured, or its path below /etc/kdump
  std::string failure;  // why it failed; empty: it did not
};

// Runs all of them, one after the other, whatever becomes of each; what they print is in the log.
// `configured` may be empty. `environment` ("KDUMP_STATUS=saved") is added to ours. A hook that
// takes longer than `limit` is killed with all that it started. In the folders, files that are not
// executable are passed over.
std::vector<HookRun> RunHooks(HookKind kind, const std::string& configured, const RootDir& root,
                              const std::vector<std::string>& environment, int status,
                              std::chrono::seconds limit, CaptureLog& log, Watchdog& watchdog);

}  // namespace kdumpkit
