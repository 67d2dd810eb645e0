// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/json_output.h"
#include "kdumpctl/retention.h"
#include "kdumpctl/upkeep_commands.h"

namespace kdumpkit {
namespace {

bool HasLimit(const Config& config) {
  return config.keep_count != 0 || config.keep_bytes != 0 || config.keep_age.count() != 0;
}

void PrintResult(const Invocation& invocation, const Config& config, const PruneResult& result,
                 bool dry_run) {
  Print(invocation.out, PruneText(result, dry_run));
  for (const PruneResult::Entry& entry : result.entries)
    if (!entry.error.empty()) invocation.Complain(entry.error);
  if (!HasLimit(config))
    Print(invocation.out,
          "nothing is deleted: neither keep_count nor keep_bytes nor keep_age is set\n");
  else if (result.entries.empty())
    Print(invocation.out, "nothing to delete\n");
}

}  // namespace

int PruneCommand(const Invocation& invocation) {
  bool dry_run = invocation.Has("dry-run");
  Result<Config> config = ReadConfig(invocation.root);
  if (!config) return ReportFailure(invocation, config.error().message());
  PruneResult result = Prune(*config, invocation.root, time(nullptr), dry_run);
  if (invocation.json) {
    PrintJson(invocation.out, PruneJson(result, dry_run));
  } else {
    PrintResult(invocation, *config, result, dry_run);
  }
  for (const PruneResult::Entry& entry : result.entries)
    if (!entry.error.empty()) return kExitFailed;
  return kExitOk;
}

}  // namespace kdumpkit
