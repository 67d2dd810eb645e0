// SPDX-License-Identifier: GPL-2.0-or-later
// kdumpctl recover, which a unit runs after each boot.
#include <unistd.h>

#include <filesystem>

#include "kdumpctl/crash_report.h"
#include "kdumpctl/json_output.h"
#include "kdumpctl/retention.h"
#include "kdumpctl/self_test.h"
#include "kdumpctl/text.h"
#include "kdumpctl/upkeep_commands.h"

namespace kdumpkit {
namespace {

using Json = nlohmann::ordered_json;

// Unpacking a dump of terabytes takes its time.
constexpr std::chrono::hours kRecoverLimit{24};
// kdump-capture(8): something of the dump is missing or damaged.
constexpr int kIncomplete = 3;

struct RawResult {
  std::string device;
  std::string folder;  // that the dump is in now; empty: there was none
  std::string error;
};

struct RecoverResult {
  std::vector<RawResult> raw;
  CrashReports reports;
  std::optional<TestRecord> test;  // if its outcome is new
  PruneResult pruned;
  std::vector<std::string> problems;
};

Status MakeFolder(const RootDir& root, const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(root.HostPath(folder), error);
  if (error) return SystemError(error.value(), fmt::format("cannot make '{}'", folder));
  return {};
}

std::string LastLine(const std::string& text) {
  std::vector<std::string_view> lines = Lines(text);
  return lines.empty() ? "" : std::string(lines.back());
}

// Absent when the program could not be run.
Result<RawResult> RecoverDevice(const std::string& device, const Config& config,
                                const Invocation& invocation) {
  std::optional<std::string> program = invocation.system.FindProgram("kdump-capture");
  if (!program) return UsageError("'kdump-capture' is not installed");
  TRY(MakeFolder(invocation.root, config.path));
  ProgramResult result = TRY(invocation.system.Run(
      {*program, "--recover", device, invocation.root.HostPath(config.path)}, kRecoverLimit));
  RawResult raw{device, "", ""};
  bool some = result.state.signal == 0 && result.state.status == kIncomplete;
  if (result.state.ok() || some) raw.folder = LastLine(result.out);
  if (!result.state.ok())
    raw.error = fmt::format("recovering the dump on '{}': {}: {}", device, result.state.ToString(),
                            LastLine(result.err));
  return raw;
}

std::vector<RawResult> RecoverRaw(const Config& config, const Invocation& invocation) {
  std::vector<RawResult> results;
  for (const Destination& destination : config.destinations) {
    if (!destination.IsRaw()) continue;
    Result<RawResult> raw = RecoverDevice(destination.source, config, invocation);
    results.push_back(raw ? *raw : RawResult{destination.source, "", raw.error().message()});
  }
  return results;
}

RecoverResult Recover(const Config& config, const Invocation& invocation) {
  RecoverResult result;
  result.raw = RecoverRaw(config, invocation);
  for (const RawResult& raw : result.raw)
    if (!raw.error.empty()) result.problems.push_back(raw.error);
  std::vector<DumpRecord> dumps = ListDumps(DumpPlaces(config, invocation.root), invocation.root);
  Result<CrashReports> reports = ReportCrashes(dumps, invocation.root);
  if (reports) {
    result.reports = std::move(*reports);
    for (const std::string& problem : result.reports.problems) result.problems.push_back(problem);
  } else {
    result.problems.push_back(reports.error().message());
  }
  std::optional<TestRecord> before = ReadTest(invocation.root);
  result.test = FollowTest(config, invocation.root, invocation.system);
  // It is told once.
  if (before && result.test && before->outcome == result.test->outcome) result.test.reset();
  result.pruned = Prune(config, invocation.root, time(nullptr), false);
  for (const PruneResult::Entry& entry : result.pruned.entries)
    if (!entry.error.empty()) result.problems.push_back(entry.error);
  return result;
}

Json ResultJson(const RecoverResult& result) {
  Json raw = Json::array();
  for (const auto& [device, folder, error] : result.raw)
    raw.push_back({{"device", device}, {"folder", folder}, {"error", error}});
  Json reported = Json::array();
  for (const DumpRecord& dump : result.reports.dumps) reported.push_back(DumpJson(dump));
  Json test = nullptr;
  if (result.test)
    test = {{"id", result.test->id},
            {"outcome", result.test->outcome},
            {"reason", result.test->reason},
            {"folder", result.test->folder}};
  return {{"raw", raw},
          {"reported", reported},
          {"test", test},
          {"pruned", PruneJson(result.pruned, false)},
          {"problems", result.problems}};
}

void PrintResult(const Invocation& invocation, const RecoverResult& result) {
  for (const auto& [device, folder, error] : result.raw)
    if (!folder.empty())
      Print(invocation.out, fmt::format("the dump on '{}' is in '{}' now\n", device, folder));
  // The journal has them once already.
  if (!IsJournalStream(invocation.out))
    for (const DumpRecord& dump : result.reports.dumps)
      Print(invocation.out, CrashMessage(dump) + "\n");
  if (result.test) Print(invocation.out, fmt::format("test: {}\n", TestText(result.test)));
  Print(invocation.out, PruneText(result.pruned, false));
  for (const std::string& problem : result.problems) invocation.Complain(problem);
}

}  // namespace

int RecoverCommand(const Invocation& invocation) {
  Result<Config> config = ReadConfig(invocation.root);
  if (!config) return ReportFailure(invocation, config.error().message());
  RecoverResult result = Recover(*config, invocation);
  if (invocation.json) {
    PrintJson(invocation.out, ResultJson(result));
  } else {
    PrintResult(invocation, result);
  }
  return result.problems.empty() ? kExitOk : kExitFailed;
}

}  // namespace kdumpkit
