// SPDX-License-Identifier: GPL-2.0-or-later
// A shell on the console, where the configuration asks for one.
#pragma once

#include "base/file.h"
#include "capture/log.h"

namespace kdumpkit {

// Runs it until it ends; says so when the image has none.
void RunShell(const RootDir& root, int console_fd, CaptureLog& log);

}  // namespace kdumpkit
