// SPDX-License-Identifier: GPL-2.0-or-later
// Tells the journal of each crash once.
#pragma once

#include <string>
#include <vector>

#include "kdumpctl/dump_record.h"
#include "kdumpctl/journal.h"

namespace kdumpkit {

// For journalctl MESSAGE_ID=…: a crash, and a dump of "kdumpctl test".
inline constexpr const char kCrashMessageId[] = "5f2c1a7e3d9b4c60a8e4b70d16f3925c";
inline constexpr const char kTestMessageId[] = "c8d40b6f92e14d7fb35a0e61da27f849";

// One sentence.
std::string CrashMessage(const DumpRecord& dump);
// MESSAGE, MESSAGE_ID, PRIORITY and the KDUMP_… of kdumpctl(8).
std::vector<JournalField> CrashEntry(const DumpRecord& dump);

struct CrashReports {
  std::vector<DumpRecord> dumps;      // that were not known before, oldest first
  std::vector<std::string> problems;  // entries that the journal did not take
};
// Sends an entry for each dump of this machine that is not in /var/lib/kdump/reported, and puts it
// there. Error: that file could not be written, so that the next call reports the same again.
Result<CrashReports> ReportCrashes(const std::vector<DumpRecord>& dumps, const RootDir& root);

}  // namespace kdumpkit
