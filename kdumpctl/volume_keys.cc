// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/volume_keys.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>

#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

constexpr const char kKeys[] = "/sys/kernel/config/crash_dm_crypt_keys";
constexpr std::chrono::seconds kTokenLimit{60};

// "0123456789abcdef0123456789abcdef" as "01234567-89ab-cdef-0123-456789abcdef"; empty: it is none.
std::string WithDashes(std::string_view digits) {
  constexpr size_t kDigits = 32;
  if (digits.size() != kDigits) return "";
  std::string uuid;
  for (size_t i = 0; i < kDigits; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) uuid += '-';
    uuid += digits[i];
  }
  return uuid;
}

// cryptsetup's UUID of a mapping: "CRYPT-LUKS2-<32 digits>-<name>".
std::string LuksUuid(std::string_view mapping) {
  if (!mapping.starts_with("CRYPT-LUKS")) return "";
  std::vector<std::string> parts;
  for (size_t at = 0; parts.size() < 3;) {
    size_t end = std::min(mapping.find('-', at), mapping.size());
    parts.emplace_back(mapping.substr(at, end - at));
    at = std::min(end + 1, mapping.size());
  }
  return WithDashes(parts[2]);
}

void AddVolumes(const RootDir& root, const std::string& sysfs, std::vector<LuksVolume>& volumes) {
  for (const std::string& name : root.List(sysfs + "/slaves"))
    if (auto below = RealPath(root, fmt::format("{}/slaves/{}", sysfs, name)))
      AddVolumes(root, *below, volumes);
  std::string uuid = LuksUuid(root.ReadLine(sysfs + "/dm/uuid").value_or(""));
  if (uuid.empty()) return;
  bool known = std::any_of(volumes.begin(), volumes.end(),
                           [&](const LuksVolume& volume) { return volume.uuid == uuid; });
  if (!known) volumes.push_back({uuid, root.ReadLine(sysfs + "/dm/name").value_or("")});
}

std::string KeyFolder(const LuksVolume& volume) { return fmt::format("{}/{}", kKeys, volume.uuid); }

bool AllNamed(const std::vector<LuksVolume>& volumes, const RootDir& root) {
  return std::all_of(volumes.begin(), volumes.end(),
                     [&](const LuksVolume& volume) { return root.Exists(KeyFolder(volume)); });
}

// The kernel keeps the keys of the image that is loaded; they may have left the keyring since.
bool ReuseKeys(const std::vector<LuksVolume>& volumes, const RootDir& root) {
  return AllNamed(volumes, root) && root.WriteText(fmt::format("{}/reuse", kKeys), "1").has_value();
}

bool FetchKey(const LuksVolume& volume, LiveSystem& system) {
  std::string name = VolumeKeyName(volume);
  if (system.HasLogonKey(name)) return true;
  Result<ProgramResult> run =
      system.Run({"cryptsetup", "open", "--test-passphrase", "--token-only", "--link-vk-to-keyring",
                  "@u::%logon:" + name, "/dev/disk/by-uuid/" + volume.uuid},
                 kTokenLimit);
  return run && run->state.ok() && system.HasLogonKey(name);
}

Status NameKey(const LuksVolume& volume, const RootDir& root) {
  std::string folder = root.HostPath(KeyFolder(volume));
  std::error_code error;
  std::filesystem::create_directory(folder, error);
  if (error) return SystemError(error.value(), fmt::format("cannot create '{}'", folder));
  // The file comes into being with its folder; it is made here for a file system that is none.
  UniqueFd file = TRY(OpenFile(folder + "/description", O_WRONLY | O_CREAT, 0600));
  return WriteFully(file.get(), AsBytes(VolumeKeyName(volume)));
}

std::string OfferOne(const LuksVolume& volume, const RootDir& root, LiveSystem& system) {
  if (!FetchKey(volume, system))
    return fmt::format(
        "the key of LUKS volume {} is not in root's keyring; add "
        "'link-volume-key=@u::%logon:{}' to the options of '{}' in /etc/crypttab and boot again",
        volume.uuid, VolumeKeyName(volume), volume.name);
  Status named = NameKey(volume, root);
  return named ? "" : named.error().message();
}

}  // namespace

std::vector<LuksVolume> LuksVolumesBelow(const RootDir& root, const BlockDevice& device) {
  std::vector<LuksVolume> volumes;
  AddVolumes(root, device.sysfs, volumes);
  return volumes;
}

std::string VolumeKeyName(const LuksVolume& volume) { return "kdump-cryptsetup:vk-" + volume.uuid; }

std::string VolumeLine(const LuksVolume& volume) {
  return fmt::format("{} {}\n", volume.uuid, volume.name);
}

std::string OfferVolumeKeys(const std::vector<LuksVolume>& volumes, const RootDir& root,
                            LiveSystem& system) {
  if (volumes.empty()) return "";
  if (!root.Exists(kKeys))
    return fmt::format(
        "this kernel cannot hand over the keys of LUKS volumes: there is no '{}' "
        "(CONFIG_CRASH_DM_CRYPT, Linux 6.17)",
        kKeys);
  if (ReuseKeys(volumes, root)) return "";
  WithdrawVolumeKeys(root);
  for (const LuksVolume& volume : volumes) {
    std::string reason = OfferOne(volume, root, system);
    if (reason.empty()) continue;
    WithdrawVolumeKeys(root);
    return reason;
  }
  return "";
}

void WithdrawVolumeKeys(const RootDir& root) {
  (void)root.WriteText(fmt::format("{}/reuse", kKeys), "0");
  for (const std::string& name : root.List(kKeys)) {
    std::string folder = root.HostPath(fmt::format("{}/{}", kKeys, name));
    std::error_code ignored;
    if (std::filesystem::is_directory(folder, ignored)) {
      // In configfs the file goes with its folder, and cannot be removed alone.
      std::filesystem::remove(folder + "/description", ignored);
      std::filesystem::remove(folder, ignored);
    }
  }
}

}  // namespace kdumpkit
