// SPDX-License-Identifier: GPL-2.0-or-later
// The name that was probably meant.
#pragma once

#include <span>
#include <string_view>

namespace kdumpkit {

// Least number of insertions, deletions, replacements and swaps of neighbours that turn one text
// into the other, capital letters taken for small ones.
size_t EditDistance(std::string_view from, std::string_view to);

// The nearest of `names`, if it is near enough to be a typing mistake; else empty.
std::string_view Nearest(std::string_view text, std::span<const std::string_view> names);

}  // namespace kdumpkit
