// SPDX-License-Identifier: GPL-2.0-or-later
// The calls that change the machine, each with what must surround it: retries, verification, and
// an account of what a failure left behind.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "kexec/load_plan.h"
#include "kexec/syscalls.h"

namespace kdumpkit {

// Loads what the plan says; the plan must not be refused. Returns warnings about what was left out
// or could not be verified. An error's message says what is responsible, what to do, and (after a
// second line break) whether the crash kernel loaded before is lost.
Result<std::vector<std::string>> Load(const LoadPlan& plan, const RootDir& root,
                                      KexecSyscalls& syscalls);

// Empties the slot; an empty one is success and costs no call.
Status Unload(Slot slot, const RootDir& root, KexecSyscalls& syscalls);

// Starts the loaded kernel; returns only with the reason why not.
Error StartLoaded(bool sync, const RootDir& root, KexecSyscalls& syscalls);

}  // namespace kdumpkit
