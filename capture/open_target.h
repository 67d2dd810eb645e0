// SPDX-License-Identifier: GPL-2.0-or-later
// Opens a destination of kdump.conf(5), of whichever kind.
#pragma once

#include "capture/context.h"
#include "capture/target.h"

namespace kdumpkit {

// Whether it is behind the network.
bool NeedsNetwork(const Destination& destination);

// Waits for what it needs, each for its own time; for a server behind ssh `patience`. The target
// borrows `context`.
Result<std::unique_ptr<Target>> OpenTarget(const Destination& destination,
                                           std::chrono::seconds patience,
                                           const CaptureContext& context);

}  // namespace kdumpkit
