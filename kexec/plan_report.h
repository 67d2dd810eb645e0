// SPDX-License-Identifier: GPL-2.0-or-later
// A load plan as text, for --dry-run and --debug.
#pragma once

#include <string>

#include "kexec/load_plan.h"

namespace kdumpkit {

// Lines of "name: value", then one line a check, then what would come of it.
std::string DescribePlan(const LoadPlan& plan);

// "0x6 (ON_CRASH, NO_INITRAMFS)".
std::string FlagsText(uint64_t flags);

}  // namespace kdumpkit
