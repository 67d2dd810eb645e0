// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/volume_keys.h"

#include <algorithm>
#include <charconv>

#include "capture/config.h"
#include "capture/device.h"

namespace kdumpkit {
namespace {

using std::chrono::seconds;

constexpr const char kRestore[] = "/sys/kernel/config/crash_dm_crypt_keys/restore";
constexpr const char kConfigFs[] = "/sys/kernel/config";

struct Volume {
  std::string uuid;
  std::string name;
  uint64_t sectors = 0;
  // UUID NAME SECTORS CIPHER KEY-BYTES IV-OFFSET OFFSET [OPTION...]
  std::vector<std::string> words;
};

Result<Volume> ParseVolume(std::string_view line) {
  constexpr size_t kFixed = 7;
  Volume volume;
  volume.words = SplitCommandLine(line);
  if (volume.words.size() < kFixed)
    return Malformed("{}: '{}' is no volume, ignoring", kVolumeList, line);
  volume.uuid = volume.words[0];
  volume.name = volume.words[1];
  const std::string& text = volume.words[2];
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), volume.sectors);
  if (error != std::errc() || end != text.data() + text.size() || volume.sectors == 0)
    return Malformed("{}: '{}' is no length, ignoring", kVolumeList, text);
  return volume;
}

std::vector<Volume> ReadVolumes(const RootDir& root, CaptureLog& log) {
  std::string text = root.ReadText(kVolumeList).value_or("");
  std::vector<Volume> volumes;
  for (std::string_view rest = text; !rest.empty();) {
    size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) continue;
    Result<Volume> volume = ParseVolume(line);
    if (volume) volumes.push_back(std::move(*volume));
    if (!volume) log.Say("{}", volume.error().message());
  }
  return volumes;
}

bool IsOpen(const RootDir& root, const Volume& volume) {
  return root.Exists("/dev/mapper/" + volume.name);
}

// Has the kernel put the keys into root's keyring, as keys of the type "user".
Status RestoreKeys(const RootDir& root, CaptureSystem& system) {
  if (!root.Exists(kRestore))
    TRY(system.Mount({"configfs", root.HostPath(kConfigFs), "configfs", 0}));
  if (!root.Exists(kRestore))
    return Unsupported("this kernel has no '{}' (CONFIG_CRASH_DM_CRYPT, Linux 6.17)", kRestore);
  return root.WriteText(kRestore, "1");
}

// A line of dm-crypt's own (Documentation/admin-guide/device-mapper/dm-crypt.rst). The key's name
// is the one that kdumpctl gave it.
std::string TableOf(const Volume& volume, const std::string& device) {
  const std::vector<std::string>& words = volume.words;
  std::vector<std::string> options(words.begin() + 7, words.end());
  std::string table = fmt::format("{} :{}:user:kdump-cryptsetup:vk-{} {} {} {}", words[3], words[4],
                                  volume.uuid, words[5], device, words[6]);
  if (!options.empty()) table += fmt::format(" {} {}", options.size(), fmt::join(options, " "));
  return table;
}

bool IsThere(const RootDir& root, const Volume& volume, CaptureSystem& system) {
  std::vector<std::string> all = ListBlockDevices(root);
  return std::any_of(all.begin(), all.end(), [&](const std::string& path) {
    Result<FileSystemId> id = system.Probe(root.HostPath(path));
    return id && id->uuid == volume.uuid;
  });
}

Status OpenVolume(const Volume& volume, const RootDir& root, seconds limit, CaptureSystem& system,
                  CaptureLog& log) {
  Destination wanted;
  wanted.kind = Destination::Kind::kDevice;
  wanted.source = "UUID=" + volume.uuid;
  Device device = TRY(WaitForDevice(wanted, limit, root, system, log));
  return system.MapDevice({volume.name, volume.uuid, volume.sectors, "crypt",
                           TableOf(volume, root.HostPath(device.path))});
}

}  // namespace

VolumesState OpenVolumes(const RootDir& root, seconds limit, CaptureSystem& system,
                         CaptureLog& log) {
  std::vector<Volume> volumes = ReadVolumes(root, log);
  std::erase_if(volumes, [&](const Volume& volume) { return IsOpen(root, volume); });
  if (volumes.empty()) return VolumesState::kDone;
  bool waits = limit.count() == 0 &&
               !std::all_of(volumes.begin(), volumes.end(),
                            [&](const Volume& volume) { return IsThere(root, volume, system); });
  if (waits) return VolumesState::kWaiting;
  if (Status restored = RestoreKeys(root, system); !restored)
    log.Say("the keys of LUKS volumes are not handed over: {}", restored.error().message());
  for (const Volume& volume : volumes) {
    Status opened = OpenVolume(volume, root, limit, system, log);
    if (opened) {
      log.Say("LUKS volume {} opened as '{}'", volume.uuid, volume.name);
    } else {
      log.Say("LUKS volume {} cannot be opened: {}", volume.uuid, opened.error().message());
    }
  }
  return VolumesState::kDone;
}

}  // namespace kdumpkit
