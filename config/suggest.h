// SPDX-License-Identifier: GPL-2.0-or-later
// What to write instead of a directive that does not exist.
#pragma once

#include <string>
#include <string_view>

namespace kdumpkit {

// `name` is what stands where a directive should: a mistyped one, another program's name for it
// (KDUMP_DUMPLEVEL), or an assignment (level=31).
std::string SuggestName(std::string_view name);

}  // namespace kdumpkit
