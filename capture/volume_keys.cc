// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/volume_keys.h"

#include "base/process.h"
#include "capture/config.h"

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char kRestore[] = "/sys/kernel/config/crash_dm_crypt_keys/restore";
constexpr const char kConfigFs[] = "/sys/kernel/config";

struct Volume {
  std::string uuid;
  std::string name;
};

std::vector<Volume> ReadVolumes(const RootDir& root) {
  std::vector<std::string> words = SplitCommandLine(root.ReadText(kVolumeList).value_or(""));
  std::vector<Volume> volumes;
  for (size_t i = 0; i + 1 < words.size(); i += 2) volumes.push_back({words[i], words[i + 1]});
  return volumes;
}

// Has the kernel put the keys into root's keyring.
Status RestoreKeys(const RootDir& root, CaptureSystem& system) {
  if (!root.Exists(kRestore))
    TRY(system.Mount({"configfs", root.HostPath(kConfigFs), "configfs", 0}));
  return root.WriteText(kRestore, "1");
}

Status WaitForVolume(const RootDir& root, const std::string& device, seconds limit,
                     CaptureSystem& system) {
  constexpr milliseconds kStep{100};
  for (milliseconds end = system.Uptime() + limit; !root.Exists(device); system.Sleep(kStep))
    if (system.Uptime() >= end)
      return UsageError("there is no '{}' after {} s", device, limit.count());
  return {};
}

Status OpenVolume(const Volume& volume, const RootDir& root, seconds limit, CaptureSystem& system) {
  if (root.Exists("/dev/mapper/" + volume.name)) return {};
  std::string device = "/dev/disk/by-uuid/" + volume.uuid;
  TRY(WaitForVolume(root, device, limit, system));
  ChildProcess child =
      TRY(ChildProcess::Spawn({"cryptsetup", "open", "--type", "luks", "--volume-key-keyring",
                               "%user:kdump-cryptsetup:vk-" + volume.uuid, device, volume.name}));
  ExitState state = TRY(child.Wait(limit));
  if (state.ok()) return {};
  return Error(ErrorKind::kSystem, fmt::format("'cryptsetup open': {}", state.ToString()));
}

}  // namespace

void OpenVolumes(const RootDir& root, seconds limit, CaptureSystem& system, CaptureLog& log) {
  std::vector<Volume> volumes = ReadVolumes(root);
  if (volumes.empty()) return;
  if (Status restored = RestoreKeys(root, system); !restored)
    log.Say("the keys of LUKS volumes are not there: {}", restored.error().message());
  for (const Volume& volume : volumes) {
    Status opened = OpenVolume(volume, root, limit, system);
    if (opened) {
      log.Say("LUKS volume {} opened as {}", volume.uuid, volume.name);
    } else {
      log.Say("LUKS volume {} cannot be opened: {}", volume.uuid, opened.error().message());
    }
  }
}

}  // namespace kdumpkit
