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

struct LoadReport {
  std::vector<std::string> warnings;  // what was left out or could not be verified
  std::vector<std::string> steps;     // for --debug: which call was tried and why
};

// Loads what the plan says; the plan must not be refused, and is changed when kexec_load is fallen
// back on. An error's message says what is responsible, what to do, and (in further lines) what was
// tried before and whether the crash kernel loaded before is lost.
Result<LoadReport> Load(LoadPlan& plan, const RootDir& root, KexecSyscalls& syscalls);

// Empties the slot; an empty one is success and costs no call.
Status Unload(Slot slot, CallChoice call, const RootDir& root, KexecSyscalls& syscalls);

struct StartOptions {
  bool sync = true;
  bool interfaces_down = true;
};

// Starts the loaded kernel; returns only with the reason why not.
Error StartLoaded(const StartOptions& options, const RootDir& root, KexecSyscalls& syscalls);

}  // namespace kdumpkit
