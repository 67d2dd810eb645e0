// SPDX-License-Identifier: GPL-2.0-or-later
// Names of dumps' folders, and what they tell about a machine that crashes again and again.
#pragma once

#include <chrono>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/config.h"

namespace kdumpkit {

// "HOST-YYYY-MM-DD-HH:MM:SS" (UTC: the capture kernel knows no time zone), or "kdump-test-ID".
std::string DumpFolderName(const CaptureConfig& config, time_t now);

// When a folder of this name was made by this host; absent when it is none of its dumps.
std::optional<time_t> TimeOfFolder(std::string_view name, std::string_view host);

// How many of the folders are dumps of `host` from within `window` before `now`, or after it: a
// clock that went back must not hide them.
unsigned RecentDumps(const std::vector<std::string>& names, std::string_view host, time_t now,
                     std::chrono::seconds window);

}  // namespace kdumpkit
