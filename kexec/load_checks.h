// SPDX-License-Identifier: GPL-2.0-or-later
// Everything that can be known to forbid a load before the kernel is asked.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "kexec/load_plan.h"

namespace kdumpkit {

// Adds one finding a check to the plan's, refusals and warnings in the order a reader should repair
// them in. The plan's other members are filled in already; `root` serves the wording only.
void CheckLoad(LoadPlan& plan, const RootDir& root);

// Reasons why the kernel would answer EPERM to a call for this slot at once; empty when none is
// found. Each names the file or setting and what to do.
std::vector<std::string> ForbiddenBy(const SystemState& state, Slot slot);

}  // namespace kdumpkit
