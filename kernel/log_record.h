// SPDX-License-Identifier: GPL-2.0-or-later
// One record of the dead kernel's log, whichever way the kernel kept it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace kdumpkit {

// What a kernel does not say of a record is absent. Views are valid during the call that gives it.
struct LogRecord {
  std::optional<uint64_t> seq;      // number since boot
  std::optional<uint64_t> ts_nsec;  // time since boot
  std::optional<int> level;         // 0 emergency … 7 debug
  std::optional<int> facility;      // 0 kernel, 1 user, … as syslog(3) counts
  // The task (its pid) or, with the top bit set, the CPU that wrote it.
  std::optional<uint32_t> caller;
  std::string_view text;
  // "SUBSYSTEM" and "DEVICE" of a device's message, other keys of older kernels.
  std::vector<std::pair<std::string, std::string>> device;
  // The line as it stands in the log of a kernel that keeps lines, not records; empty else.
  std::string_view line;
};

using LogSink = std::function<Status(const LogRecord&)>;

struct LogOptions {
  bool since_clear = false;  // only what came since the log was last cleared (dmesg --clear)
};

struct LogStats {
  uint64_t records = 0;
  uint64_t skipped = 0;  // reserved, reusable, corrupt or unreadable descriptors
  // What was wrong with the log first, empty when nothing: the text that could be read was still
  // given. Reserved and reusable descriptors are no problem: every ring has some.
  std::string problem;
};

// "[    1.234567] text\n": the bytes that vmcore-dmesg prints: no caller id, lines of one record
// after its first without a prefix, and "\x1b" for what is neither printable ASCII nor white space.
// A line of an old kernel stays as it is.
std::string FormatLogRecord(const LogRecord& record);
// "T1" for a task, "C0" for a CPU.
std::string LogCallerName(uint32_t caller);

// Level and facility from the two bytes that end struct printk_info's (or printk_log's) fixed part:
// u8 facility; u8 flags:5, level:3. `level_byte` is the second.
int LogLevel(uint8_t level_byte, ByteOrder order);

}  // namespace kdumpkit
