// SPDX-License-Identifier: GPL-2.0-or-later
// A machine made of files, and answers in place of its programs.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "kdumpctl/live_system.h"
#include "tests/support/temp_dir.h"

namespace kdumpkit {

class FakeLiveSystem : public LiveSystem {
 public:
  Result<ProgramResult> Run(const std::vector<std::string>& argv,
                            std::chrono::milliseconds limit) override;
  Result<ExitState> RunOnTerminal(const std::vector<std::string>& argv,
                                  std::chrono::milliseconds limit) override;
  Result<ExitState> RunApart(const ApartProgram& program, std::chrono::milliseconds limit) override;
  std::vector<std::string> Resolve(const std::string& host) override;
  std::optional<DeviceContent> Probe(const std::string& device) override;
  std::optional<std::string> FindTag(const std::string& tag, const std::string& value) override;
  std::optional<std::string> DeviceNumber(const std::string& node) override;
  Result<FolderProbe> ProbeFolder(const std::string& folder,
                                  std::chrono::milliseconds limit) override;
  Status Connect(const std::string& host, unsigned port, std::chrono::milliseconds limit) override;
  bool HasLogonKey(const std::string& name) override { return keys.contains(name); }
  std::optional<std::string> FindProgram(const std::string& name) override;

  // A command line that begins so (words joined by blanks) prints this and ends well.
  std::map<std::string, std::string> answers;
  // A program, by the last part of its name, that does something.
  std::map<std::string, std::function<ProgramResult(const std::vector<std::string>&)>> programs;
  // In the place of a program with namespaces of its own; `prepare` is not called.
  std::function<ExitState(const ApartProgram&)> apart;
  std::map<std::string, std::vector<std::string>> hosts;
  std::map<std::string, DeviceContent> contents;  // by the last part of the device's name
  std::map<std::string, std::string> tags;        // "UUID=x" -> node
  std::map<std::string, std::string> paths;       // program -> file
  Result<FolderProbe> folder = FolderProbe{"", uint64_t{100} << 30};
  Status connection;
  std::set<std::string> keys;     // logon keys in the keyring
  std::vector<std::string> runs;  // command lines
};

// A tree for RootDir.
class Machine {
 public:
  // A small one: a kernel 6.1.0-test with its file in /boot, root on vda1 (ext4, virtio), 256 MiB
  // reserved, nothing loaded.
  Machine();

  RootDir root() const { return *RootDir::Open(dir_.path()); }
  std::string File(const std::string& path) const { return dir_.File(path.substr(1)); }
  void Write(const std::string& path, const std::string& text) const {
    dir_.Write(path.substr(1), text);
  }
  void Folder(const std::string& path) const;
  // `target` is absolute as in a live system; the link is made relative.
  void Link(const std::string& path, const std::string& target) const;
  void Remove(const std::string& path) const;
  std::string Read(const std::string& path) const;

  // A device folder with a driver; `module` empty: it is built in.
  void Device(const std::string& sysfs, const std::string& module, const std::string& alias = "");
  // A block device with its links in /sys and /dev.
  void Block(const std::string& sysfs, const std::string& number);
  void Mount(const std::string& number, const std::string& root, const std::string& point,
             const std::string& type, const std::string& source, const std::string& options = "rw");

 private:
  TempDir dir_;
  std::string mounts_;
};

}  // namespace kdumpkit
