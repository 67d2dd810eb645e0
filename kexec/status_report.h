// SPDX-License-Identifier: GPL-2.0-or-later
// What is loaded and what a load would meet, for programs: --status --json.
#pragma once

#include <string>

#include "base/file.h"

namespace kdumpkit {

// A JSON object; man/kexec.8 lists its members. What cannot be known is null.
std::string StatusToJson(const RootDir& root);

}  // namespace kdumpkit
