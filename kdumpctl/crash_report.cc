// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/crash_report.h"

#include <algorithm>
#include <set>

#include "kdumpctl/state_files.h"
#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

constexpr const char kReportedFile[] = "/var/lib/kdump/reported";
// Enough for any number of dumps that anyone keeps.
constexpr size_t kRemembered = 10000;

// Other distributions' dumps are from before kdumpkit was used.
bool IsToReport(const DumpRecord& dump) {
  return dump.own && dump.layout != DumpLayout::kDebian && dump.layout != DumpLayout::kSuse;
}

}  // namespace

std::string CrashMessage(const DumpRecord& dump) {
  std::string result = fmt::format("{}, {}", dump.outcome, SizeText(dump.size));
  if (!dump.reason.empty()) result += ": " + dump.reason;
  if (!dump.test_id.empty())
    return fmt::format("The dump of kdump test {} is in '{}' ({})", dump.test_id, dump.folder,
                       result);
  return fmt::format("Kernel {} crashed, saved {}: {}; its dump is in '{}' ({})",
                     OrUnknown(dump.kernel), TimeText(dump.time),
                     dump.panic.empty() ? "the reason is not known" : dump.panic, dump.folder,
                     result);
}

std::vector<JournalField> CrashEntry(const DumpRecord& dump) {
  bool test = !dump.test_id.empty();
  std::vector<JournalField> fields = {
      {"MESSAGE", CrashMessage(dump)},
      {"MESSAGE_ID", test ? kTestMessageId : kCrashMessageId},
      {"PRIORITY", test ? "5" : "2"},  // notice, crit
      {"SYSLOG_IDENTIFIER", "kdumpctl"},
      {"KDUMP_FOLDER", dump.folder},
      {"KDUMP_KERNEL", dump.kernel},
      {"KDUMP_PANIC", dump.panic},
      {"KDUMP_OUTCOME", dump.outcome},
      {"KDUMP_REASON", dump.reason},
      {"KDUMP_SIZE", std::to_string(dump.size)},
      {"KDUMP_TIME", TimeText(dump.time)},
      {"KDUMP_BOOT_ID", dump.boot_id},
      {"KDUMP_TEST_ID", dump.test_id},
  };
  std::erase_if(fields, [](const JournalField& field) { return field.value.empty(); });
  return fields;
}

Result<CrashReports> ReportCrashes(const std::vector<DumpRecord>& dumps, const RootDir& root) {
  std::string text = root.ReadText(kReportedFile).value_or("");
  std::vector<std::string> lines;
  for (std::string_view line : Lines(text)) lines.emplace_back(line);
  std::set<std::string> known(lines.begin(), lines.end());
  CrashReports reports;
  for (auto dump = dumps.rbegin(); dump != dumps.rend(); ++dump) {
    if (!IsToReport(*dump) || !known.insert(dump->Name()).second) continue;
    Result<JournalResult> sent = SendToJournal(root, CrashEntry(*dump));
    if (!sent) reports.problems.push_back(sent.error().message());
    lines.push_back(dump->Name());
    reports.dumps.push_back(*dump);
  }
  if (reports.dumps.empty()) return reports;
  std::string kept;
  for (size_t i = lines.size() - std::min(lines.size(), kRemembered); i < lines.size(); ++i)
    kept += lines[i] + "\n";
  TRY(WriteStateFile(root, kReportedFile, kept));
  return reports;
}

}  // namespace kdumpkit
