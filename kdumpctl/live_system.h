// SPDX-License-Identifier: GPL-2.0-or-later
// What kdumpctl asks of the running system that is no file: programs, names, block devices. The
// real one is below; tests have a fake.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/process.h"

namespace kdumpkit {

// How a program ended, and what it wrote (bounded).
struct ProgramResult {
  ExitState state;
  std::string out;
  std::string err;
};

// A program and the root folder that it gets.
struct ApartProgram {
  // Called in the new namespaces, as process 1 there; what it mounts is gone with the program.
  std::function<Status()> prepare;
  std::vector<std::string> argv;  // argv[0] is a path in the new root
  std::vector<std::string> environment;
  // Gets what is printed, on both outputs, as it comes.
  std::function<void(std::string_view)> show;
};

// What a block device holds; empty where it has none.
struct DeviceContent {
  std::string fs_type;
  std::string uuid;
};

// What a folder is good for; of one that is not there yet, the one above that is.
struct FolderProbe {
  std::string problem;  // why no file could be written there; empty: one was, and is gone again
  uint64_t free_bytes = 0;
};

class LiveSystem {
 public:
  virtual ~LiveSystem() = default;

  // Runs a program to its end; it is killed after `limit`. Nothing is read by it.
  virtual Result<ProgramResult> Run(const std::vector<std::string>& argv,
                                    std::chrono::milliseconds limit) = 0;
  // The same for a program that talks to the user: it has our terminal; what it prints goes to
  // standard error, so that it is no part of what we print.
  virtual Result<ExitState> RunOnTerminal(const std::vector<std::string>& argv,
                                          std::chrono::milliseconds limit) = 0;
  // Runs a program as process 1 of a mount and PID namespace of its own, which may neither load
  // modules, restart the machine, change the network nor touch ports; needs root. Past `limit` it
  // is killed, and with it all that it has started.
  virtual Result<ExitState> RunApart(const ApartProgram& program,
                                     std::chrono::milliseconds limit) = 0;
  // The addresses of a host as numbers; none when it is not known.
  virtual std::vector<std::string> Resolve(const std::string& host) = 0;
  // The superblock of a device, by libblkid; needs root.
  virtual std::optional<DeviceContent> Probe(const std::string& device) = 0;
  // The device that has a tag ("UUID", "LABEL", "PARTUUID", "PARTLABEL"), by libblkid.
  virtual std::optional<std::string> FindTag(const std::string& tag, const std::string& value) = 0;
  // "8:1" for a block device's node.
  virtual std::optional<std::string> DeviceNumber(const std::string& node) = 0;
  // A "logon" key of this name is in a keyring of this process (root's own keyring among them).
  virtual bool HasLogonKey(const std::string& name) = 0;
  // In a process of its own, since a file system that hangs holds who touches it.
  virtual Result<FolderProbe> ProbeFolder(const std::string& folder,
                                          std::chrono::milliseconds limit) = 0;
  // Whether something listens there.
  virtual Status Connect(const std::string& host, unsigned port,
                         std::chrono::milliseconds limit) = 0;
  // The file of one of our own programs: beside this one, else in PATH or the usual folders.
  virtual std::optional<std::string> FindProgram(const std::string& name) = 0;
};

std::unique_ptr<LiveSystem> MakeLiveSystem();

}  // namespace kdumpkit
