// SPDX-License-Identifier: GPL-2.0-or-later
// How the running system asks the server of a destination: as the capture does, with its keys, but
// with less patience.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "config/config.h"

namespace kdumpkit {

// A word as a POSIX shell reads it back.
std::string ShellQuoted(const std::string& word);

// ssh with a command for the shell of `destination`'s server (kSsh).
std::vector<std::string> SshCommand(const Destination& destination, const Config& config,
                                    const RootDir& root, const std::string& command);

}  // namespace kdumpkit
