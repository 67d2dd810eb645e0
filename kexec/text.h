// SPDX-License-Identifier: GPL-2.0-or-later
// Small text: numbers and lines of /proc and /sys files, sizes in messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdumpkit {

// The whole text as a number; absent when it is anything else.
std::optional<uint64_t> ParseNumber(std::string_view text, int base = 10);

// Without white space at either end.
std::string_view Trim(std::string_view text);

std::vector<std::string_view> SplitLines(std::string_view text);

// The number after "key:" at the beginning of a line ("MemTotal:  2048 kB" gives 2048).
std::optional<uint64_t> FieldOf(std::string_view text, std::string_view key, int base = 10);

// The parts with `separator` between them. (fmt::join is in a different header in each fmt.)
std::string Join(const std::vector<std::string>& parts, std::string_view separator);

// "256 MiB", "63.6 MiB", "12 KiB", "17 bytes".
std::string SizeText(uint64_t bytes);

}  // namespace kdumpkit
