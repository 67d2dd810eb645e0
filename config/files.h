// SPDX-License-Identifier: GPL-2.0-or-later
// Where the configuration is kept.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "config/parse.h"

namespace kdumpkit {

inline constexpr const char kConfigFile[] = "/etc/kdump.conf";
inline constexpr const char kConfigFolder[] = "/etc/kdump.conf.d";
inline constexpr const char kVendorConfigFolder[] = "/usr/lib/kdump.conf.d";

// The files in the order in which they are read: those of the vendor, kdump.conf, the drop-ins,
// each folder in lexical order of names that end in ".conf". A vendor's file is left out when a
// drop-in has the same name. What does not exist is left out, too; what cannot be read is an error.
Result<std::vector<ConfigSource>> ReadConfigFiles(const RootDir& root);

// One file.
Result<ConfigSource> ReadConfigFile(const RootDir& root, const std::string& path);

}  // namespace kdumpkit
