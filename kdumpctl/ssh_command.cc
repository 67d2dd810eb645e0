// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/ssh_command.h"

namespace kdumpkit {

std::string ShellQuoted(const std::string& word) {
  std::string quoted = "'";
  for (char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::vector<std::string> SshCommand(const Destination& destination, const Config& config,
                                    const RootDir& root, const std::string& command) {
  std::vector<std::string> argv = {"ssh",
                                   "-F",
                                   "none",
                                   "-o",
                                   "BatchMode=yes",
                                   "-o",
                                   "StrictHostKeyChecking=yes",
                                   "-o",
                                   "ConnectTimeout=3",
                                   "-o",
                                   "IdentitiesOnly=yes"};
  if (config.ssh_host_keys.empty())
    argv.insert(argv.end(), {"-o", "UserKnownHostsFile=" + root.HostPath(config.ssh_known_hosts)});
  for (const std::string& identity : config.ssh_identities)
    argv.insert(argv.end(), {"-i", root.HostPath(identity)});
  if (destination.port != 0) argv.insert(argv.end(), {"-p", std::to_string(destination.port)});
  if (!destination.user.empty()) argv.insert(argv.end(), {"-l", destination.user});
  argv.insert(argv.end(), {"--", destination.host, command});
  return argv;
}

}  // namespace kdumpkit
