// SPDX-License-Identifier: GPL-2.0-or-later
// Names of servers: in the capture image they stand in /etc/hosts, resolved in the running system.
#pragma once

#include <string>

#include "base/file.h"

namespace kdumpkit {

// The address of a host: itself when it is one, else the first line of /etc/hosts that has the
// name.
Result<std::string> ResolveHost(const RootDir& root, const std::string& host);

}  // namespace kdumpkit
