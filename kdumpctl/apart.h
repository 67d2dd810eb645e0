// SPDX-License-Identifier: GPL-2.0-or-later
// A program as process 1 of namespaces of its own.
#pragma once

#include "kdumpctl/live_system.h"

namespace kdumpkit {

// See LiveSystem::RunApart.
Result<ExitState> RunApartNow(const ApartProgram& program, std::chrono::milliseconds limit);

}  // namespace kdumpkit
