// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/fence.h"

#include <fcntl.h>

#include "config/statement.h"

namespace kdumpkit {
namespace {

// Where distributions put it: Fedora, openSUSE, Debian.
constexpr const char* kPrograms[] = {"/usr/libexec/fence_kdump_send", "/usr/lib/fence_kdump_send",
                                     "/usr/sbin/fence_kdump_send"};

}  // namespace

std::optional<ChildProcess> StartFence(const CaptureContext& context) {
  const CaptureConfig& config = context.config;
  // The nodes would take a running machine for a dead one.
  if (config.fence_nodes.empty() || context.dry != nullptr) return std::nullopt;
  for (const char* program : kPrograms) {
    if (!context.root.Exists(program)) continue;
    std::vector<std::string> argv = {context.root.HostPath(program)};
    argv.insert(argv.end(), config.fence_args.begin(), config.fence_args.end());
    argv.insert(argv.end(), config.fence_nodes.begin(), config.fence_nodes.end());
    UniqueFd nothing = OpenFile("/dev/null", O_RDWR).value_or(UniqueFd());
    SpawnOptions options;
    options.stdin_fd = options.stdout_fd = options.stderr_fd = nothing.get();
    context.log.Say("running in the background: {}", JoinWords(argv));
    Result<ChildProcess> child = ChildProcess::Spawn(argv, options);
    if (child) return std::move(*child);
    context.log.Say("{}, ignoring", child.error().message());
    return std::nullopt;
  }
  context.log.Say("fence_kdump_send is not in the capture image, ignoring");
  return std::nullopt;
}

}  // namespace kdumpkit
