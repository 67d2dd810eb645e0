// SPDX-License-Identifier: GPL-2.0-or-later
// How records of the dead kernel's log are chosen and shown.
#pragma once

#include <string>
#include <string_view>

#include "kernel/log_record.h"

namespace kdumpkit {

// Bit n is level n, 0 emergency to 7 debug.
inline constexpr unsigned kAllLogLevels = 0xff;

// "err,warn", "3,4", "warn+" (that level and the more urgent ones), as dmesg(1) takes them. Errors
// are kUsage.
Result<unsigned> ParseLogLevels(std::string_view text);

// True when the record has one of the levels, or when its level is not known.
bool HasLogLevel(const LogRecord& record, unsigned levels);

// One JSON object, one line; keys are described in kdump-filter(8). What the kernel does not say is
// null.
std::string LogRecordJson(const LogRecord& record);

}  // namespace kdumpkit
