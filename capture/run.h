// SPDX-License-Identifier: GPL-2.0-or-later
// The whole capture, step by step, and what a failure of each step means.
#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "capture/delivery.h"
#include "capture/system.h"
#include "config/dry_run.h"

namespace kdumpkit {

struct CaptureOptions {
  bool is_init = false;                 // process 1 of an initramfs: there is nothing mounted
  std::string filter = "kdump-filter";  // looked up in PATH when it has no slash
  int console_fd = 1;
  std::optional<DryRun> dry = std::nullopt;  // of "kdumpctl test --dry"
};

// Saves the dead kernel's memory as kdump.conf and the command line say and then performs the final
// action. That happens whatever fails, except on a kernel that is no capture kernel and whose
// process 1 this is not. Returns only where the final action does.
// A dry run has no final action, runs no hook, and sets up neither modules, network nor watchdogs:
// all it touches is the destination.
CaptureOutcome RunCapture(const CaptureOptions& options, const RootDir& root,
                          CaptureSystem& system);

// 0 saved (or the log alone, as told), 1 failed or no capture kernel, 3 partial.
int ExitStatus(CaptureOutcome outcome);

}  // namespace kdumpkit
