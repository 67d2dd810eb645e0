// SPDX-License-Identifier: GPL-2.0-or-later
// What no line of a configuration can tell by itself: what its settings mean together.
#pragma once

#include "config/parse.h"

namespace kdumpkit {

// Gives destinations their folders, adds the one that `path` means when there is none, and reports
// settings that contradict each other or can have no effect.
void CompleteConfig(ParsedConfig& reading);

}  // namespace kdumpkit
