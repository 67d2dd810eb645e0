// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/capture/stub_ssh.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>

namespace kdumpkit {

StubSsh::StubSsh(const TempDir& dir) : dir_(dir) {
  std::filesystem::create_directories(dir_.File("server"));
  Write("cd '" + dir_.File("server") + "' && exec /bin/sh -c \"$*\"");
}

SshAccess StubSsh::access() const {
  SshAccess access;
  access.user = "kdump";
  access.host = "server";
  access.identities = {"/root/.ssh/kdump_id_rsa"};
  access.known_hosts = "/root/.ssh/known_hosts";
  access.program = dir_.File("ssh");
  access.host_key_file = dir_.File("host-keys");
  return access;
}

// What follows the host is the command; the options before it are noted only.
void StubSsh::Write(const std::string& body) const {
  dir_.Write("ssh", fmt::format("#!/bin/sh\n"
                                "echo \"$*\" | tr '\\n' ' ' >>'{0}'; echo >>'{0}'\n"
                                "while [ \"$1\" != -- ]; do shift; done\n"
                                "shift 2\n"
                                "{1}\n",
                                dir_.File("ssh-runs"), body));
  CHECK(chmod(dir_.File("ssh").c_str(), 0755) == 0);
}

std::string StubSsh::Contents(const std::string& name) const {
  std::ifstream stream(File(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> StubSsh::runs() const {
  std::ifstream stream(dir_.File("ssh-runs"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace kdumpkit
