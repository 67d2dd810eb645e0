// SPDX-License-Identifier: GPL-2.0-or-later
// Parts of destinations that are read in several places.
#pragma once

#include <string>
#include <string_view>

#include "config/destination.h"

namespace kdumpkit {

// Behind the host of an ssh URI: what follows is a path below the login folder.
inline constexpr std::string_view kLoginFolder = "/~/";

// "/dev/NAME", "UUID=ID", "LABEL=NAME", "PARTUUID=ID" or "PARTLABEL=NAME".
bool IsDevice(std::string_view text);

// The name of a user on a server. A password behind it is refused.
Result<std::string> ParseUser(std::string_view text);

// Sets host and port from "host", "host:22", "[2001:db8::1]", "[2001:db8::1]:22", and without a
// port also from "2001:db8::1".
Status SetHost(std::string_view text, Destination& destination);

}  // namespace kdumpkit
