// SPDX-License-Identifier: GPL-2.0-or-later
// Everything that can be known to forbid a load before the kernel is asked.
#pragma once

#include <string_view>
#include <vector>

#include "base/file.h"
#include "kexec/load_plan.h"

namespace kdumpkit {

// One finding a check, refusals and warnings in the order a reader should repair them in. The
// plan's other members are filled in already; `root` serves the wording only.
std::vector<Finding> CheckLoad(const LoadPlan& plan, const RootDir& root, std::string_view machine);

// Reasons why the kernel would answer EPERM to a call for this slot at once; empty when none is
// found. Each names the file or setting and what to do.
std::vector<std::string> ForbiddenBy(const SystemState& state, Slot slot);

}  // namespace kdumpkit
