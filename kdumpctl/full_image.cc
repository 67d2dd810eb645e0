// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/full_image.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "kdumpctl/state_files.h"
#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

using Kind = Destination::Kind;

constexpr const char* kStorageFiles[] = {
    "/etc/crypttab",         "/etc/lvm/lvm.conf",   "/etc/mdadm.conf",
    "/etc/mdadm/mdadm.conf", "/etc/multipath.conf", "/etc/iscsi/initiatorname.iscsi",
};
constexpr const char* kDracutFiles[] = {"/usr/bin/dracut",
                                        "/etc/dracut.conf",
                                        "/usr/lib/dracut/modules.d/55kdumpkit/module-setup.sh",
                                        "/usr/lib/dracut/modules.d/55kdumpkit/capture.sh",
                                        "/usr/lib/dracut/modules.d/55kdumpkit/no-root.sh",
                                        "/usr/lib/dracut/modules.d/55kdumpkit/volumes.sh"};
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
  for (const ResolvedDestination* found : plan.All())
    if (!found->device.node.empty()) nodes.push_back(found->device.node);
  return nodes;
}

// What udev calls a destination's device; its node where there is no such name.
std::string LinkOf(const ResolvedDestination& found) {
  const std::string& source = found.capture.source;
  if (found.device.node.empty()) return "";
  if (source.starts_with("UUID=")) return "/dev/disk/by-uuid/" + source.substr(5);
  if (source.starts_with("PARTUUID=")) return "/dev/disk/by-partuuid/" + source.substr(9);
  return found.device.node;
}

// No systemd: capture comes before any root file system, and memory is scarce. No crypt: it asks
// for a passphrase; kdump-capture opens what it has keys of, for which udev needs the rules of dm.
std::vector<std::string> DracutCommand(const CapturePlan& plan, const std::string& output) {
  std::vector<std::string> argv = {"dracut",
                                   "--force",
                                   "--hostonly",
                                   "--hostonly-cmdline",
                                   "--no-hostonly-default-device",
                                   "--no-hostonly-i18n",
                                   "--no-early-microcode",
                                   "--add",
                                   plan.Volumes().empty() ? "kdumpkit" : "kdumpkit dm",
                                   "--omit",
                                   "systemd systemd-initrd dracut-systemd plymouth resume "
                                   "i18n usrmount rngd fips crypt iscsi"};
  for (const std::string& node : DeviceNodes(plan)) {
    argv.push_back("--add-device");
    argv.push_back(node);
  }
  const std::vector<std::string>& own = plan.config.dracut_args;
  argv.insert(argv.end(), own.begin(), own.end());
  argv.insert(argv.end(), {"--kver", plan.kernel.release, output});
  return argv;
}

// mkinitramfs takes its settings from a folder: a copy of this machine's, and on top of it what
// keeps the image small. Drivers come with our own files, and those of LVM, md and encryption by
// the hooks of their packages.
constexpr const char kSettings[] = "/run/kdump/initramfs-tools";
constexpr std::string_view kSettingsOnTop = "MODULES=list\nRESUME=none\nKEYMAP=n\n";

Status CopySettings(const RootDir& root) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::string copy = root.HostPath(kSettings);
  fs::remove_all(copy, error);
  fs::create_directories(fs::path(copy).parent_path(), error);
  if (!error)
    fs::copy(root.HostPath("/etc/initramfs-tools"), copy, fs::copy_options::recursive, error);
  if (error) return SystemError(error.value(), fmt::format("cannot make '{}'", copy));
  // The last file of the folder counts.
  return WriteStateFile(root, fmt::format("{}/conf.d/zz-kdumpkit", kSettings), kSettingsOnTop);
}

std::vector<std::string> InitramfsToolsCommand(const CapturePlan& plan, const std::string& output) {
  return {"mkinitramfs", "-d", kSettings, "-o", output, plan.kernel.release};
}

// What a builder that failed said last; the reason is seldom the very last line.
std::string LastLines(std::string_view text) {
  constexpr size_t kMost = 4;
  std::vector<std::string_view> lines = Lines(text);
  std::erase_if(lines, [](std::string_view line) { return line.empty(); });
  if (lines.size() > kMost) lines.erase(lines.begin(), lines.end() - kMost);
  return fmt::format("{}", fmt::join(lines, "; "));
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
  return InitramfsToolsCommand(plan, output);
}

std::vector<std::string> BuilderWords(std::string_view builder, const Config& config) {
  std::string wait = fmt::format("{}", config.device_timeout.count());
  // No root file system is looked for; see the hooks.
  if (builder == BuilderName(ImageBuilder::kDracut))
    return {"root=kdump", "rd.shell=0", "rd.emergency=reboot", "rd.retry=" + wait, "rd.luks=0"};
  if (builder == BuilderName(ImageBuilder::kInitramfsTools)) return {"boot=kdump"};
  return {};
}

void AddFullImageTexts(CapturePlan& plan) {
  std::string devices;
  for (const ResolvedDestination* found : plan.All())
    if (std::string link = LinkOf(*found); !link.empty()) devices += link + "\n";
  std::vector<ImageText>& texts = plan.image.texts;
  texts.push_back({"/etc/kdumpkit/devices", devices, 0644});
  texts.push_back({"/etc/kdumpkit/device-timeout",
                   fmt::format("{}\n", plan.config.device_timeout.count()), 0644});
}

Status BuildFullImage(const CapturePlan& plan, const std::string& path, const RootDir& root,
                      LiveSystem& system) {
  constexpr std::chrono::minutes kLimit{20};
  std::string incomplete = path + "-incomplete";
  if (plan.builder == ImageBuilder::kInitramfsTools) TRY(CopySettings(root));
  // The hooks call this program back.
  if (std::optional<std::string> own = system.FindProgram("kdumpctl"))
    (void)setenv("KDUMPCTL", own->c_str(), 1);
  ProgramResult built = TRY(system.Run(BuilderCommand(plan, incomplete), kLimit));
  if (built.state.ok()) return Finish(incomplete, path);
  (void)unlink(incomplete.c_str());
  std::string lines = LastLines(built.err);
  return UsageError("{} failed ({}): {}", BuilderName(plan.builder), built.state.ToString(),
                    lines.empty() ? LastLines(built.out) : lines);
}

}  // namespace kdumpkit
