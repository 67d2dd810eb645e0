// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/full_image.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

using Kind = Destination::Kind;

constexpr const char* kStorageFiles[] = {
    "/etc/crypttab",         "/etc/lvm/lvm.conf",   "/etc/mdadm.conf",
    "/etc/mdadm/mdadm.conf", "/etc/multipath.conf", "/etc/iscsi/initiatorname.iscsi",
};
constexpr const char* kDracutFiles[] = {"/usr/bin/dracut", "/etc/dracut.conf",
                                        "/usr/lib/dracut/modules.d/55kdumpkit/module-setup.sh",
                                        "/usr/lib/dracut/modules.d/55kdumpkit/capture.sh"};
constexpr const char* kDracutFolders[] = {"/etc/dracut.conf.d", "/usr/lib/dracut/dracut.conf.d"};
constexpr const char* kInitramfsToolsFiles[] = {
    "/usr/sbin/mkinitramfs", "/etc/initramfs-tools/initramfs.conf", "/etc/initramfs-tools/modules"};
constexpr const char* kInitramfsToolsFolders[] = {
    "/etc/initramfs-tools/conf.d", "/etc/initramfs-tools/hooks", "/etc/initramfs-tools/scripts"};

void AddExisting(const RootDir& root, const std::string& file, std::vector<std::string>& files) {
  std::error_code error;
  if (std::filesystem::is_regular_file(root.HostPath(file), error)) files.push_back(file);
}

template <typename List>
void AddFolders(const RootDir& root, const List& folders, std::vector<std::string>& files) {
  for (const char* folder : folders)
    for (const std::string& name : root.List(folder))
      AddExisting(root, fmt::format("{}/{}", folder, name), files);
}

// The devices that the image has to bring up.
std::vector<std::string> DeviceNodes(const CapturePlan& plan) {
  std::vector<std::string> nodes;
  for (const ResolvedDestination& found : plan.destinations)
    if (!found.device.node.empty()) nodes.push_back(found.device.node);
  return nodes;
}

bool NeedsNetwork(const CapturePlan& plan) { return !plan.network.network.empty(); }

// No systemd: capture comes before any root file system, and memory is scarce.
std::vector<std::string> DracutCommand(const CapturePlan& plan, const std::string& output) {
  std::vector<std::string> argv = {"dracut",
                                   "--force",
                                   "--hostonly",
                                   "--hostonly-cmdline",
                                   "--no-hostonly-default-device",
                                   "--no-hostonly-i18n",
                                   "--no-early-microcode",
                                   "--add",
                                   "kdumpkit",
                                   "--omit",
                                   "systemd systemd-initrd dracut-systemd plymouth resume "
                                   "i18n usrmount rngd fips"};
  for (const std::string& node : DeviceNodes(plan)) {
    argv.push_back("--add-device");
    argv.push_back(node);
  }
  if (NeedsNetwork(plan)) argv.insert(argv.end(), {"--add", "network"});
  const std::vector<std::string>& own = plan.config.dracut_args;
  argv.insert(argv.end(), own.begin(), own.end());
  argv.insert(argv.end(), {"--kver", plan.kernel.release, output});
  return argv;
}

std::string LastLine(std::string_view text) {
  std::string last;
  for (std::string_view line : Lines(text))
    if (!line.empty()) last = line;
  return last;
}

Status Finish(const std::string& incomplete, const std::string& path) {
  if (chmod(incomplete.c_str(), 0600) != 0 || rename(incomplete.c_str(), path.c_str()) != 0)
    return SystemError(errno, fmt::format("cannot rename '{}' to '{}'", incomplete, path));
  return SyncDirectory(std::filesystem::path(path).parent_path());
}

}  // namespace

std::vector<std::string> BuilderFiles(const CapturePlan& plan, const RootDir& root) {
  std::vector<std::string> files;
  for (const char* file : kStorageFiles) AddExisting(root, file, files);
  AddExisting(root, plan.kernel.module_folder + "/modules.dep", files);
  if (plan.builder == ImageBuilder::kDracut) {
    for (const char* file : kDracutFiles) AddExisting(root, file, files);
    AddFolders(root, kDracutFolders, files);
  } else {
    for (const char* file : kInitramfsToolsFiles) AddExisting(root, file, files);
    AddFolders(root, kInitramfsToolsFolders, files);
  }
  return files;
}

std::vector<std::string> BuilderCommand(const CapturePlan& plan, const std::string& output) {
  if (plan.builder == ImageBuilder::kDracut) return DracutCommand(plan, output);
  return {"mkinitramfs", "-o", output, plan.kernel.release};
}

std::vector<std::string> BuilderWords(const CapturePlan& plan) {
  std::string wait = fmt::format("{}", plan.config.device_timeout.count());
  // No root file system is looked for; see the hooks.
  if (plan.builder == ImageBuilder::kDracut)
    return {"root=kdump", "rd.shell=0", "rd.emergency=reboot", "rd.retry=" + wait};
  if (plan.builder == ImageBuilder::kInitramfsTools) return {"boot=kdump", "kdump.wait=" + wait};
  return {};
}

Status BuildFullImage(const CapturePlan& plan, const std::string& path, LiveSystem& system) {
  constexpr std::chrono::minutes kLimit{20};
  std::string incomplete = path + "-incomplete";
  ProgramResult built = TRY(system.Run(BuilderCommand(plan, incomplete), kLimit));
  if (built.state.ok()) return Finish(incomplete, path);
  (void)unlink(incomplete.c_str());
  std::string line = LastLine(built.err);
  return UsageError("{} failed ({}): {}", BuilderName(plan.builder), built.state.ToString(),
                    line.empty() ? LastLine(built.out) : line);
}

}  // namespace kdumpkit
