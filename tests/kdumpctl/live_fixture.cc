// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/kdumpctl/live_fixture.h"

#include <fmt/format.h>

#include <filesystem>

#include "kdumpctl/text.h"

namespace kdumpkit {

namespace fs = std::filesystem;

Result<ProgramResult> FakeLiveSystem::Run(const std::vector<std::string>& argv,
                                          std::chrono::milliseconds) {
  std::string line = fmt::format("{}", fmt::join(argv, " "));
  runs.push_back(line);
  if (auto program = programs.find(BaseName(argv[0])); program != programs.end())
    return program->second(argv);
  for (const auto& [begin, out] : answers)
    if (line.starts_with(begin)) return ProgramResult{{}, out, ""};
  return ProgramResult{{.status = 1}, "", fmt::format("no answer to '{}'\n", line)};
}

Result<ExitState> FakeLiveSystem::RunOnTerminal(const std::vector<std::string>& argv,
                                                std::chrono::milliseconds limit) {
  return TRY(Run(argv, limit)).state;
}

Result<ExitState> FakeLiveSystem::RunApart(const ApartProgram& program, std::chrono::milliseconds) {
  if (!apart) return UsageError("no namespaces here");
  return apart(program);
}

std::vector<std::string> FakeLiveSystem::Resolve(const std::string& host) { return hosts[host]; }

std::optional<DeviceContent> FakeLiveSystem::Probe(const std::string& device) {
  auto found = contents.find(BaseName(device));
  if (found == contents.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> FakeLiveSystem::FindTag(const std::string& tag,
                                                   const std::string& value) {
  auto found = tags.find(tag + "=" + value);
  if (found == tags.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> FakeLiveSystem::DeviceNumber(const std::string&) { return std::nullopt; }

Result<FolderProbe> FakeLiveSystem::ProbeFolder(const std::string&, std::chrono::milliseconds) {
  return folder;
}

Status FakeLiveSystem::Connect(const std::string&, unsigned, std::chrono::milliseconds) {
  return connection;
}

std::optional<std::string> FakeLiveSystem::FindProgram(const std::string& name) {
  auto found = paths.find(name);
  if (found == paths.end()) return std::nullopt;
  return found->second;
}

Machine::Machine() {
  Write("/proc/sys/kernel/osrelease", "6.1.0-test\n");
  Write("/proc/sys/kernel/hostname", "guest\n");
  Write("/proc/sys/kernel/random/boot_id", "b00t\n");
  Write("/proc/cmdline", "BOOT_IMAGE=/vmlinuz root=UUID=r00t ro quiet console=ttyS0\n");
  Write("/sys/kernel/kexec_crash_loaded", "0\n");
  Write("/sys/kernel/kexec_crash_size", "268435456\n");
  Write("/etc/machine-id", "0123456789abcdef\n");
  Write("/boot/vmlinuz-6.1.0-test", "kernel");
  Device("/sys/devices/pci0000:00/0000:00:02.0", "virtio_pci", "pci:v1");
  Device("/sys/devices/pci0000:00/0000:00:02.0/virtio1", "virtio_blk", "virtio:d2");
  Block("/sys/devices/pci0000:00/0000:00:02.0/virtio1/block/vda", "254:0");
  Block("/sys/devices/pci0000:00/0000:00:02.0/virtio1/block/vda/vda1", "254:1");
  Write("/sys/devices/pci0000:00/0000:00:02.0/virtio1/block/vda/vda1/partition", "1\n");
  Link("/dev/disk/by-uuid/r00t", "/dev/vda1");
  Mount("254:1", "/", "/", "ext4", "/dev/vda1");
}

void Machine::Folder(const std::string& path) const { fs::create_directories(File(path)); }

void Machine::Link(const std::string& path, const std::string& target) const {
  fs::path link = File(path);
  fs::create_directories(link.parent_path());
  fs::create_symlink(fs::path(File(target)).lexically_relative(link.parent_path()), link);
}

void Machine::Remove(const std::string& path) const { fs::remove_all(File(path)); }

std::string Machine::Read(const std::string& path) const {
  return root().ReadText(path, size_t{1} << 26).value_or("");
}

void Machine::Device(const std::string& sysfs, const std::string& module,
                     const std::string& alias) {
  std::string driver = fmt::format("/sys/bus/drivers/{}", module.empty() ? "builtin" : module);
  Folder(sysfs);
  Folder(driver);
  Link(sysfs + "/driver", driver);
  if (!alias.empty()) Write(sysfs + "/modalias", alias + "\n");
  if (module.empty() || root().Exists(driver + "/module")) return;
  Folder("/sys/module/" + module);
  Link(driver + "/module", "/sys/module/" + module);
}

void Machine::Block(const std::string& sysfs, const std::string& number) {
  Write(sysfs + "/dev", number + "\n");
  Link("/sys/dev/block/" + number, sysfs);
  Link("/sys/class/block/" + BaseName(sysfs), sysfs);
  Write("/dev/" + BaseName(sysfs), "");
}

void Machine::Mount(const std::string& number, const std::string& root, const std::string& point,
                    const std::string& type, const std::string& source,
                    const std::string& options) {
  mounts_ += fmt::format("20 1 {} {} {} rw,relatime shared:1 - {} {} {}\n", number, root, point,
                         type, source, options);
  Write("/proc/self/mountinfo", mounts_);
}

}  // namespace kdumpkit
