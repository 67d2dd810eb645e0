// SPDX-License-Identifier: GPL-2.0-or-later
// Saves on a server through the ssh program, which runs POSIX commands there. The server's key is
// always checked, and nothing is ever asked of a person.
//
// Of failures, Error::error_number() says which they are:
//   EKEYREJECTED  the server showed another key than the one that is known, or none is known
//   EACCES        the server does not let us in
//   EHOSTUNREACH  no connection comes about (no route, refused, name unknown)
//   ETIMEDOUT     the time was over, or the server does not answer any more
//   ECONNRESET    the connection broke
//   EEXIST        the command found the file or folder there already
//   ENOSPC, EROFS, EDQUOT  the command said so
//   EREMOTEIO     the command failed in another way
// Of those, only EHOSTUNREACH, ETIMEDOUT and ECONNRESET may be gone when it is tried again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/process.h"
#include "capture/command.h"
#include "capture/log.h"
#include "capture/watchdog.h"

namespace kdumpkit {

struct SshAccess {
  std::string user;  // empty: ours
  std::string host;  // a name or an address; IPv6 without brackets
  uint16_t port = 0;
  std::vector<std::string> identities;  // files of private keys, in the order to try
  std::string known_hosts;              // file of the servers' keys
  // "ssh-ed25519 AAAA...": when there are any, these count instead of `known_hosts`.
  std::vector<std::string> host_keys;
  std::chrono::seconds connect_timeout{30};
  std::string program = "ssh";
  // Written before ssh is run, when there are `host_keys`.
  std::string host_key_file = "/run/kdumpkit-known-hosts";

  // "ssh://user@host:port", for messages.
  std::string Describe() const;
};

// A word as the login shell of the server reads it back; plain words stay as they are.
std::string QuoteForShell(std::string_view word);

// The command that runs these words on the server. No file of settings of ssh is looked at, so that
// it means the same in every image.
std::vector<std::string> SshArgv(const SshAccess& access,
                                 const std::vector<std::string>& remote_words);

// Why ssh, or the command that it ran, failed; `said` is what came on stderr.
Error SshFailure(const SshAccess& access, const ExitState& state, std::string_view said);
bool MayPassAway(const Error& ssh_failure);

// Runs the words there with `input` as stdin; returns stdout.
Result<std::string> RunSsh(const SshAccess& access, const std::vector<std::string>& remote_words,
                           ByteView input, std::chrono::milliseconds limit, CaptureLog& log,
                           Watchdog& watchdog);

// Files and folders of a server. A path without a leading slash is below the login folder. All
// references are borrowed.
class SshHost {
 public:
  // `limit`: of each step, connecting included.
  SshHost(const SshAccess& access, std::chrono::milliseconds limit, CaptureLog& log,
          Watchdog& watchdog)
      : access_(access), limit_(limit), log_(log), watchdog_(watchdog) {}

  // The folder must be new (EEXIST); those above it need not be there. Mode 0700.
  Status MakeFolder(const std::string& path);
  // Names, sorted as the server sorts them, without "." and "..".
  Result<std::vector<std::string>> List(const std::string& path);
  // Of the file system that has, or would have, `path`.
  Result<uint64_t> FreeBytes(const std::string& path);
  // As "<path>-incomplete", then synced and renamed. Mode 0600; an existing <path> stays (EEXIST).
  Status WriteFile(const std::string& path, ByteView bytes);
  // An existing `to` stays (EEXIST). On its disk on return.
  Status Rename(const std::string& from, const std::string& to);
  Result<uint64_t> Size(const std::string& path);
  // Lower-case hex; none when the server has no sha256sum(1).
  Result<std::optional<std::string>> Sha256(const std::string& path,
                                            std::chrono::milliseconds limit);

 private:
  Result<std::string> Run(const std::string& script, const std::vector<std::string>& arguments,
                          ByteView input, std::optional<std::chrono::milliseconds> limit = {});

  const SshAccess& access_;
  std::chrono::milliseconds limit_;
  CaptureLog& log_;
  Watchdog& watchdog_;
};

// A file that is being written on a server.
class SshStream {
 public:
  // Starts ssh; whether it gets through shows in Write and Finish. An existing file is never
  // overwritten (EEXIST). Mode 0600.
  static Result<SshStream> Start(const SshAccess& access, const std::string& remote_path);

  // For a child that is to write; it gets SIGPIPE when ssh is gone. Ours must then be closed.
  int fd() const { return input_.get(); }
  void CloseOurs() { input_.reset(); }
  // Writes all of `bytes`. ETIMEDOUT: for `stall` ssh took none; else what ssh said. The stream is
  // of no use then.
  Status Write(ByteView bytes, std::chrono::milliseconds stall);
  // Ends the file and waits until the server has it on its disk.
  Status Finish(std::chrono::milliseconds limit);

 private:
  SshStream(const SshAccess& access, ChildProcess child, UniqueFd input, UniqueFd errors)
      : access_(access),
        child_(std::move(child)),
        input_(std::move(input)),
        errors_(std::move(errors)) {}
  void TakeErrors();
  Error Failure(std::chrono::milliseconds limit);

  SshAccess access_;
  ChildProcess child_;
  UniqueFd input_;
  UniqueFd errors_;
  std::string said_;
};

// For tests of its table: the available bytes in the output of "df -Pk".
Result<uint64_t> ParseFreeBytes(std::string_view df_output);

}  // namespace kdumpkit
