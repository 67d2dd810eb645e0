// SPDX-License-Identifier: GPL-2.0-or-later
// Tells a cluster that this machine is saving a dump, so that it is not fenced meanwhile.
#pragma once

#include <optional>

#include "base/process.h"
#include "capture/context.h"

namespace kdumpkit {

// Starts fence_kdump_send in the background; it goes on until the child is dropped. None when there
// are no nodes to tell; what goes wrong is said.
std::optional<ChildProcess> StartFence(const CaptureContext& context);

}  // namespace kdumpkit
