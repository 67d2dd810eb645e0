// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/shell.h"

#include "base/process.h"

namespace kdumpkit {

void RunShell(const RootDir& root, int console_fd, CaptureLog& log) {
  for (const char* shell : {"/bin/sh", "/bin/bash", "/bin/busybox"}) {
    if (!root.Exists(shell)) continue;
    log.Console(fmt::format("{} follows; 'exit' goes on", shell));
    std::vector<std::string> argv = {root.HostPath(shell)};
    if (argv[0].ends_with("busybox")) argv.emplace_back("sh");
    SpawnOptions options;
    options.stdin_fd = options.stdout_fd = options.stderr_fd = console_fd;
    Result<ChildProcess> child = ChildProcess::Spawn(argv, options);
    if (!child) return log.Say("{}, ignoring", child.error().message());
    (void)child->Wait();
    return;
  }
  log.Say("there is no shell in the capture image ('extra_bins /bin/sh' puts one there)");
}

}  // namespace kdumpkit
