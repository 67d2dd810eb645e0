// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "capture/ssh.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {

// A shell script in the place of ssh, and a folder in that of the server: it runs the remote words
// there through /bin/sh, as sshd does through the login shell.
class StubSsh {
 public:
  explicit StubSsh(const TempDir& dir);

  SshAccess access() const;
  // Instead of running the command: a script that says what ssh would say.
  void SetBody(const std::string& body) const { Write(body); }
  // Files of the server, by their paths below the login folder.
  std::string File(const std::string& name) const { return dir_.File("server/" + name); }
  std::string Contents(const std::string& name) const;
  // The arguments of each run, one string a run.
  std::vector<std::string> runs() const;

 private:
  void Write(const std::string& body) const;

  const TempDir& dir_;
};

}  // namespace kdumpkit
