// SPDX-License-Identifier: GPL-2.0-or-later
// A load plan as text, for --dry-run and --debug.
#pragma once

#include <string>

#include "kexec/load_plan.h"

namespace kdumpkit {

// Lines of "name: value", the segments, one line a check, then what would come of it.
std::string DescribePlan(const LoadPlan& plan);

// "ok", "warning" or "refused".
std::string_view LevelText(Finding::Level level);

// "0x6 (ON_CRASH, NO_INITRAMFS)": flags of kexec_file_load and of kexec_load.
std::string FileFlagsText(uint64_t flags);
std::string SegmentFlagsText(uint64_t flags);

}  // namespace kdumpkit
