// SPDX-License-Identifier: GPL-2.0-or-later
// Single values of kdump.conf(5) as text. Every Parse answers with a kUsage error whose message
// says what is wanted; every Format gives a text that the Parse reads back as the same value.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kdumpkit {

// "yes", "no"; also 1, 0, true, false, on, off.
Result<bool> ParseFlag(std::string_view text);
std::string FormatFlag(bool value);

// A whole number from `low` to `high`.
Result<unsigned> ParseCount(std::string_view text, unsigned low, unsigned high);

// Bytes: a number and K, M, G or T (powers of 1024; "M", "MB" and "MiB" are the same), or 0.
Result<uint64_t> ParseSize(std::string_view text);
std::string FormatSize(uint64_t bytes);

// "30" (seconds), "30s", "10min", "1h30min", "7d", "2w"; from `low` to `high`.
Result<std::chrono::seconds> ParseDuration(std::string_view text, std::chrono::seconds low,
                                           std::chrono::seconds high);
std::string FormatDuration(std::chrono::seconds duration);

// %XX of URIs. A control character and an incomplete %XX are errors.
Result<std::string> PercentDecode(std::string_view text);
// Of '%' only; blanks and quotes are left to the quoting of the line.
std::string PercentEncode(std::string_view text);

}  // namespace kdumpkit
