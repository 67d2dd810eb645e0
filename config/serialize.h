// SPDX-License-Identifier: GPL-2.0-or-later
// A Config as text of the grammar that ParseConfig reads.
#pragma once

#include <string>

#include "config/config.h"

namespace kdumpkit {

// What the capture image needs to know, as the text of a kdump.conf: all destinations, and the
// settings that differ from their defaults. Reading it gives the same settings again.
std::string SerializeForCapture(const Config& config);

// The file that is installed as /etc/kdump.conf: each directive with its help and its default, as
// comments, so that it changes nothing.
std::string DefaultFile();

}  // namespace kdumpkit
