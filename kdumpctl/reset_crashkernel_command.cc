// SPDX-License-Identifier: GPL-2.0-or-later
// kdumpctl reset-crashkernel: puts crashkernel= into the boot loader's configuration.
#include <fmt/ranges.h>

#include <algorithm>

#include "config/directives.h"
#include "kdumpctl/boot_loader.h"
#include "kdumpctl/dump_places.h"
#include "kdumpctl/estimate.h"
#include "kdumpctl/json_output.h"
#include "kdumpctl/state_files.h"
#include "kdumpctl/text.h"
#include "kdumpctl/upkeep_commands.h"

namespace kdumpkit {
namespace {

using Json = nlohmann::ordered_json;

// What kdumpctl itself wrote last, words as on the command line.
constexpr const char kWrittenFile[] = "/var/lib/kdump/crashkernel";
// update-grub asks every disk for other systems.
constexpr std::chrono::minutes kCommandLimit{20};

struct ResetResult {
  Reservation values;
  BootLoaderPlan plan;
  std::string skipped;  // why nothing is to be done
  std::vector<std::string> problems;
};

Status CheckValues(const Reservation& values) {
  const Directive* directive = FindDirective("crashkernel");
  for (const std::string& value : values)
    if (Status good = directive->check(value); !good)
      return UsageError("'{}': {}", value, good.error().message());
  return {};
}

Result<Reservation> ChooseValues(const Invocation& invocation, const Config& config) {
  if (!invocation.operands.empty()) return invocation.operands;
  if (!config.crashkernel.empty()) return config.crashkernel;
  return Reservation{TRY(RecommendReservation(config, invocation.root))};
}

// Why the update of a package must not change the value.
std::string WhyNotAfterUpdate(const Config& config, const BootLoaderPlan& plan,
                              const RootDir& root) {
  if (!config.auto_reset_crashkernel) return "auto_reset_crashkernel is 'no'";
  Reservation present = plan.old_values();
  if (present.empty()) return "no crashkernel= is configured";
  Reservation written = Words(root.ReadLine(kWrittenFile).value_or(""));
  for (const std::string& value : present)
    if (std::find(written.begin(), written.end(), value) == written.end())
      return fmt::format("crashkernel={} was not set by kdumpctl", value);
  return "";
}

Result<ResetResult> MakePlan(const Invocation& invocation) {
  Config config = TRY(ReadConfig(invocation.root));
  ResetResult result;
  result.values = TRY(ChooseValues(invocation, config));
  TRY(CheckValues(result.values));
  std::string kernel = invocation.Value("kernel").value_or("ALL");
  result.plan = TRY(PlanReservation(result.values, kernel, invocation.root, invocation.system));
  if (invocation.Has("after-update"))
    result.skipped = WhyNotAfterUpdate(config, result.plan, invocation.root);
  return result;
}

void RunCommand(const std::vector<std::string>& argv, LiveSystem& system, ResetResult& result) {
  std::string line = fmt::format("{}", fmt::join(argv, " "));
  Result<ProgramResult> run = system.Run(argv, kCommandLimit);
  if (!run) {
    result.problems.push_back(fmt::format("{}; run '{}' by hand", run.error().message(), line));
  } else if (!run->state.ok()) {
    std::vector<std::string_view> said = Lines(run->err);
    result.problems.push_back(fmt::format(
        "'{}': {}{}{}; the files are changed, run it again by hand", line, run->state.ToString(),
        said.empty() ? "" : ": ", said.empty() ? "" : said.back()));
  }
}

void Apply(const Invocation& invocation, ResetResult& result) {
  for (const FileEdit& edit : result.plan.edits) {
    if (edit.before == edit.after) continue;
    Status applied = ApplyEdit(edit, invocation.root);
    if (!applied) result.problems.push_back(applied.error().message());
  }
  // After a file that could not be written, the boot loader's programs still have to see the
  // others.
  for (const std::vector<std::string>& argv : result.plan.commands)
    RunCommand(argv, invocation.system, result);
  std::string text = fmt::format("{}\n", fmt::join(result.values, " "));
  Status written = WriteStateFile(invocation.root, kWrittenFile, text);
  if (!written) result.problems.push_back(written.error().message());
}

// Lines that are only in one of them.
std::string Difference(const FileEdit& edit) {
  std::vector<std::string_view> before = Lines(edit.before);
  std::vector<std::string_view> after = Lines(edit.after);
  std::string text;
  auto add = [&text](char mark, const auto& lines, const auto& others) {
    for (std::string_view line : lines)
      if (std::find(others.begin(), others.end(), line) == others.end())
        text += fmt::format("  {} {}\n", mark, line);
  };
  add('-', before, after);
  add('+', after, before);
  return text;
}

void PrintResult(const Invocation& invocation, const ResetResult& result, bool dry_run) {
  std::FILE* out = invocation.out;
  std::string_view would = dry_run ? "would " : "";
  if (!result.skipped.empty()) {
    Print(out, fmt::format("nothing is changed: {}\n", result.skipped));
    return;
  }
  for (const FileEdit& edit : result.plan.edits) {
    if (edit.before == edit.after) continue;
    Print(out, fmt::format("{}{} '{}'\n{}", would, edit.created ? "create" : "change", edit.path,
                           Difference(edit)));
  }
  for (const std::vector<std::string>& argv : result.plan.commands)
    Print(out, fmt::format("{}run '{}'\n", would, fmt::join(argv, " ")));
  for (const std::string& note : result.plan.notes) Print(out, fmt::format("note: {}\n", note));
  for (const std::string& problem : result.problems) invocation.Complain(problem);
  if (!result.plan.changes() && result.plan.commands.empty())
    Print(out, fmt::format("crashkernel={} is configured already\n",
                           fmt::join(result.values, " crashkernel=")));
  else if (!dry_run && result.problems.empty())
    Print(out, fmt::format("crashkernel={} holds from the next boot on\n",
                           fmt::join(result.values, " crashkernel=")));
}

Json ResultJson(const ResetResult& result, bool dry_run) {
  Json files = Json::array();
  for (const FileEdit& edit : result.plan.edits)
    files.push_back({{"path", edit.path},
                     {"created", edit.created},
                     {"changed", edit.before != edit.after},
                     {"old", edit.old_values}});
  return {{"values", result.values},          {"dry_run", dry_run},
          {"skipped", result.skipped},        {"files", files},
          {"commands", result.plan.commands}, {"notes", result.plan.notes},
          {"problems", result.problems}};
}

}  // namespace

int ResetCrashkernelCommand(const Invocation& invocation) {
  bool dry_run = invocation.Has("dry-run");
  Result<ResetResult> result = MakePlan(invocation);
  if (!result) return ReportFailure(invocation, result.error().message());
  if (!dry_run && result->skipped.empty()) Apply(invocation, *result);
  if (invocation.json) {
    PrintJson(invocation.out, ResultJson(*result, dry_run));
  } else {
    PrintResult(invocation, *result, dry_run);
  }
  return result->problems.empty() ? kExitOk : kExitFailed;
}

}  // namespace kdumpkit
