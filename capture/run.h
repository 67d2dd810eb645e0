// SPDX-License-Identifier: GPL-2.0-or-later
// The whole capture, step by step, and what a failure of each step means.
#pragma once

#include <string>

#include "base/file.h"
#include "capture/system.h"

namespace kdumpkit {

struct CaptureOptions {
  bool is_init = false;                 // process 1 of an initramfs: there is nothing mounted
  std::string filter = "kdump-filter";  // looked up in PATH when it has no slash
  int console_fd = 1;
};

enum class CaptureOutcome {
  kSaved,
  kPartial,   // there is a dump, but not all that was asked for
  kFailed,    // there is no dump that is worth its name
  kNoVmcore,  // this kernel is not a capture kernel; nothing was done
};

// Saves the dead kernel's memory as the command line says and then performs the final action. That
// happens whatever fails, except on a kernel that is no capture kernel and whose process 1 this is
// not. Returns only where the final action does.
CaptureOutcome RunCapture(const CaptureOptions& options, const RootDir& root,
                          CaptureSystem& system);

// 0 saved, 1 failed or no capture kernel, 3 partial.
int ExitStatus(CaptureOutcome outcome);

}  // namespace kdumpkit
