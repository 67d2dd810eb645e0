// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a destination would take a dump now, found within seconds.
#pragma once

#include "kdumpctl/resolve.h"
#include "kdumpctl/status.h"

namespace kdumpkit {

// `estimate`: bytes of a dump; `config`: min_free, keys.
DestinationState ProbeDestination(const ResolvedDestination& found, const Config& config,
                                  uint64_t estimate, const RootDir& root, LiveSystem& system);

}  // namespace kdumpkit
