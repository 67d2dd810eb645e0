// SPDX-License-Identifier: GPL-2.0-or-later
// Names of dumps' folders: ours, which are Fedora's, and those of other distributions.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace kdumpkit {

enum class DumpLayout {
  kDated,   // HOST-YYYY-MM-DD-HH:MM:SS, perhaps with "-2" behind it
  kTest,    // kdump-test-ID, of "kdumpctl test"
  kDebian,  // YYYYmmddHHMM, on a server HOST-YYYYmmddHHMM
  kSuse,   // YYYY-MM-DD-HH-MM or, older and of Fedora's raw dumps, YYYY-MM-DD-HH:MM; HOST- as above
  kOther,  // it is one by its manifest.json alone
};
// "kdumpkit", "test", "debian", "suse", "other".
std::string_view LayoutName(DumpLayout layout);

struct DumpName {
  DumpLayout layout = DumpLayout::kOther;
  std::string host;     // empty: not in the name
  std::string test_id;  // kTest
  time_t time = 0;      // 0: not in the name. Debian saves in local time, the others in UTC.
};

// Absent when it is no name of a dump's folder.
std::optional<DumpName> ParseDumpName(std::string_view name);

// "2026-11-24T17:44:12Z"; empty for 0.
std::string TimeText(time_t time);
// What TimeText writes, and fractions of a second; 0 for anything else.
time_t ParseTimeText(std::string_view text);

}  // namespace kdumpkit
