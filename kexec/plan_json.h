// SPDX-License-Identifier: GPL-2.0-or-later
// A load plan for programs: --plan --json.
#pragma once

#include <string>

#include "kexec/load_plan.h"

namespace kdumpkit {

// A JSON object; man/kexec.8 lists its members.
std::string PlanToJson(const LoadPlan& plan);

}  // namespace kdumpkit
