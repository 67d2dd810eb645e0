// SPDX-License-Identifier: GPL-2.0-or-later
// Why the kernel said no: an errno, and what the system's files say about it, as one sentence that
// names what is responsible and what to do next.
#pragma once

#include <string>

#include "kexec/load_plan.h"
#include "kexec/system_state.h"

namespace kdumpkit {

// For a failed load; `now` is the state after it. Never empty.
std::string ExplainLoadError(int error, const LoadPlan& plan, const SystemState& now);

// For a failed unload of `slot`.
std::string ExplainUnloadError(int error, Slot slot, const SystemState& now);

// For reboot(2) that returned.
std::string ExplainRebootError(int error, const SystemState& now);

}  // namespace kdumpkit
