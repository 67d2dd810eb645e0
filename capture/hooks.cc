// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/hooks.h"

#include <sys/stat.h>
#include <unistd.h>

#include "capture/command.h"

namespace kdumpkit {
namespace {

std::string_view FolderOf(HookKind kind) {
  if (kind == HookKind::kPre) return "/etc/kdump/pre.d";
  return kind == HookKind::kPost ? "/etc/kdump/post.d" : "/etc/kdump/emergency.d";
}

bool IsProgram(const std::string& path) {
  struct stat file = {};
  return stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode) && access(path.c_str(), X_OK) == 0;
}

std::vector<std::string> HooksOf(HookKind kind, const std::string& configured,
                                 const RootDir& root) {
  std::vector<std::string> hooks;
  if (kind == HookKind::kPre && !configured.empty()) hooks.push_back(configured);
  for (const std::string& name : root.List(FolderOf(kind))) {
    std::string path = fmt::format("{}/{}", FolderOf(kind), name);
    if (IsProgram(root.HostPath(path))) hooks.push_back(path);
  }
  if (kind != HookKind::kPre && !configured.empty()) hooks.push_back(configured);
  return hooks;
}

// Empty when it succeeded.
std::string FailureOf(const Result<CommandEnd>& end) {
  if (!end) return end.error().message();
  return end->state.ok() ? "" : end->state.ToString();
}

}  // namespace

std::vector<HookRun> RunHooks(HookKind kind, const std::string& configured, const RootDir& root,
                              const std::vector<std::string>& environment, int status,
                              std::chrono::seconds limit, CaptureLog& log, Watchdog& watchdog) {
  std::vector<HookRun> runs;
  for (const std::string& hook : HooksOf(kind, configured, root)) {
    CommandRequest request;
    request.argv = {root.HostPath(hook)};
    if (kind == HookKind::kPost) request.argv.push_back(std::to_string(status));
    request.environment = environment;
    request.limit = limit;
    request.show = [&log](std::string_view text) { log.Raw(text); };
    log.Say("running: {}", hook);
    HookRun run{hook, FailureOf(RunCommand(request, watchdog))};
    if (!run.failure.empty()) log.Say("hook '{}' failed: {}", hook, run.failure);
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace kdumpkit
