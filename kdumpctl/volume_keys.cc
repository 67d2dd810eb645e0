// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/volume_keys.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <set>

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
  if (!known) volumes.push_back({uuid, root.ReadLine(sysfs + "/dm/name").value_or(""), "", ""});
}

std::string KeyFolder(const LuksVolume& volume) { return fmt::format("{}/{}", kKeys, volume.uuid); }

bool AllNamed(const std::vector<LuksVolume>& volumes, const RootDir& root) {
  return std::all_of(volumes.begin(), volumes.end(),
                     [&](const LuksVolume& volume) { return root.Exists(KeyFolder(volume)); });
}

// The size in bytes of what a table has for a key: ":64:logon:NAME", or the digits of the key
// itself, which dmsetup(8) shows as zeros. Empty: neither.
std::string KeySize(std::string_view key) {
  if (key.starts_with(':')) {
    std::string_view size = key.substr(1, std::max<size_t>(key.find(':', 1), 1) - 1);
    return std::string(size);
  }
  return key == "-" || key.size() % 2 != 0 ? "" : std::to_string(key.size() / 2);
}

// Without the parts of a specification that are no algorithms: "aes-xts-plain64", "xts(aes)".
std::set<std::string> Algorithms(std::string_view cipher) {
  std::set<std::string> found;
  std::string name;
  for (char c : cipher) {
    if (std::string_view("-:(),").find(c) == std::string_view::npos) {
      name += c;
    } else if (!name.empty()) {
      found.insert(std::exchange(name, {}));
    }
  }
  if (!name.empty()) found.insert(name);
  return found;
}

bool Shares(const std::set<std::string>& some, const std::set<std::string>& others) {
  return std::any_of(some.begin(), some.end(),
                     [&](const std::string& name) { return others.contains(name); });
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

std::string WhyNoKey(const LuksVolume& volume) {
  return fmt::format(
      "the key of LUKS volume '{0}' is not in root's keyring; add "
      "'link-volume-key=@u::%logon:{1}' to the options of '{0}' in /etc/crypttab (systemd 257, "
      "cryptsetup 2.7) and boot again",
      volume.name, VolumeKeyName(volume));
}

void RemoveKeyFolder(const RootDir& root, const std::string& name) {
  std::string folder = root.HostPath(fmt::format("{}/{}", kKeys, name));
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) return;
  // In configfs the file goes with its folder, and cannot be removed alone.
  std::filesystem::remove(folder + "/description", ignored);
  std::filesystem::remove(folder, ignored);
}

}  // namespace

std::vector<LuksVolume> LuksVolumesBelow(const RootDir& root, const BlockDevice& device) {
  std::vector<LuksVolume> volumes;
  AddVolumes(root, device.sysfs, volumes);
  return volumes;
}

std::string VolumeKeyName(const LuksVolume& volume) { return "kdump-cryptsetup:vk-" + volume.uuid; }

Status LookUpMapping(LuksVolume& volume, LiveSystem& system) {
  constexpr size_t kFixed = 8;  // words before the options
  ProgramResult run = TRY(system.Run({"dmsetup", "table", volume.name}, std::chrono::seconds(10)));
  std::vector<std::string_view> lines = Lines(run.out);
  std::erase_if(lines, [](std::string_view line) { return line.empty(); });
  if (!run.state.ok() || lines.size() != 1)
    return UsageError("'dmsetup table {}' has no single line: {}", volume.name,
                      run.err.empty() ? run.out : run.err);
  std::vector<std::string> words = Words(lines[0]);
  if (words.size() < kFixed || words[2] != "crypt" || KeySize(words[4]).empty())
    return UsageError("LUKS volume '{}' is not dm-crypt alone: '{}'", volume.name, words[2]);
  bool integrity = std::any_of(words.begin() + kFixed, words.end(), [](const std::string& word) {
    return word.starts_with("integrity:");
  });
  if (integrity) return UsageError("LUKS volume '{}' has integrity data", volume.name);
  volume.cipher = words[3];
  volume.mapping =
      fmt::format("{} {} {} {} {}", words[1], words[3], KeySize(words[4]), words[5], words[7]);
  // Their number comes first.
  for (size_t i = kFixed + 1; i < words.size(); ++i) volume.mapping += " " + words[i];
  return {};
}

std::string WhyNoVolumeKeys(const RootDir& root) {
  if (root.Exists(kKeys)) return "";
  return fmt::format(
      "it is encrypted (LUKS), and this kernel cannot hand the key to the capture kernel: there is "
      "no '{}' (CONFIG_CRASH_DM_CRYPT, Linux 6.17); choose a partition that is not encrypted, a "
      "raw one, or a server (ssh, NFS)",
      kKeys);
}

std::vector<std::string> VolumeModules(const LuksVolume& volume, const RootDir& root) {
  std::set<std::string> algorithms = Algorithms(volume.cipher), modules;
  std::string name, text = root.ReadText("/proc/crypto").value_or("");
  for (std::string_view line : Lines(text)) {
    std::vector<std::string> words = Words(line);
    if (words.size() < 3) continue;
    if (words[0] == "name") name = words[2];
    bool wanted = words[0] == "module" && words[2] != "kernel";
    if (wanted && Shares(Algorithms(name), algorithms)) modules.insert(words[2]);
  }
  std::vector<std::string> all(modules.begin(), modules.end());
  all.push_back("dm_crypt");
  return all;
}

std::string VolumeLine(const LuksVolume& volume) {
  return fmt::format("{} {} {}\n", volume.uuid, volume.name, volume.mapping);
}

std::string OfferVolumeKeys(const std::vector<LuksVolume>& volumes, const RootDir& root,
                            LiveSystem& system) {
  if (volumes.empty()) return "";
  if (std::string reason = WhyNoVolumeKeys(root); !reason.empty()) return reason;
  std::set<std::string> wanted;
  for (const LuksVolume& volume : volumes) {
    wanted.insert(volume.uuid);
    if (FetchKey(volume, system)) continue;
    if (ReuseKeys(volumes, root)) return "";
    WithdrawVolumeKeys(root);
    return WhyNoKey(volume);
  }
  (void)root.WriteText(fmt::format("{}/reuse", kKeys), "0");
  for (const std::string& name : root.List(kKeys))
    if (!wanted.contains(name)) RemoveKeyFolder(root, name);
  for (const LuksVolume& volume : volumes)
    if (Status named = NameKey(volume, root); !named) return named.error().message();
  return "";
}

void WithdrawVolumeKeys(const RootDir& root) {
  (void)root.WriteText(fmt::format("{}/reuse", kKeys), "0");
  for (const std::string& name : root.List(kKeys)) RemoveKeyFolder(root, name);
}

bool IsKeyOffered(const LuksVolume& volume, const RootDir& root) {
  return root.Exists(KeyFolder(volume));
}

}  // namespace kdumpkit
