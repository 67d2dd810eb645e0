// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/device.h"

#include <strings.h>

#include <algorithm>
#include <optional>

namespace kdumpkit {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kScanInterval{500};
constexpr milliseconds kReportInterval{5000};

bool MayHoldFileSystem(const RootDir& root, const std::string& name) {
  std::string folder = "/sys/class/block/" + name;
  if (root.ReadLine(folder + "/size").value_or("0") == "0") return false;
  return root.List(folder + "/holders").empty();
}

// UUIDs of FAT and NTFS are in capitals, others not; people write them either way.
bool Matches(const std::string& destination, const FileSystemId& id) {
  if (destination.starts_with("UUID="))
    return strcasecmp(destination.c_str() + 5, id.uuid.c_str()) == 0;
  return destination.starts_with("LABEL=") && destination.substr(6) == id.label;
}

Result<Device> Examine(const std::string& path, const CaptureConfig& config, const RootDir& root,
                       CaptureSystem& system) {
  Result<FileSystemId> id = system.Probe(root.HostPath(path));
  bool type_given = !config.fs_type.empty();
  if (!id && !(type_given && id.error().kind() == ErrorKind::kUnsupported)) return id.error();
  Device device{path, id.value_or(FileSystemId{})};
  if (type_given) device.id.type = config.fs_type;
  return device;
}

Result<Device> Search(const CaptureConfig& config, const RootDir& root, CaptureSystem& system) {
  const std::string& wanted = config.destination;
  if (wanted.starts_with("/dev/")) return Examine(wanted, config, root, system);
  for (const std::string& path : ListBlockDevices(root)) {
    Result<Device> device = Examine(path, config, root, system);
    if (device && Matches(wanted, device->id)) return device;
  }
  return Unsupported("no block device has it");
}

std::string SeenDevices(const RootDir& root) {
  std::string text = JoinWords(ListBlockDevices(root));
  return text.empty() ? "none (are the modules of the disk in the image?)" : text;
}

}  // namespace

std::vector<std::string> ListBlockDevices(const RootDir& root) {
  std::vector<std::string> paths;
  for (std::string name : root.List("/sys/class/block")) {
    if (!MayHoldFileSystem(root, name)) continue;
    // Sysfs writes '!' for a slash in a device's name ("cciss!c0d0").
    std::replace(name.begin(), name.end(), '!', '/');
    paths.push_back("/dev/" + name);
  }
  return paths;
}

Result<Device> WaitForDevice(const CaptureConfig& config, const RootDir& root,
                             CaptureSystem& system, CaptureLog& log) {
  milliseconds begin = system.Uptime();
  milliseconds next_report{0};
  for (;;) {
    Result<Device> device = Search(config, root, system);
    if (device) return device;
    milliseconds waited = system.Uptime() - begin;
    if (waited >= config.timeout)
      return Error(
          ErrorKind::kSystem,
          fmt::format("destination '{}' did not appear within {} s: {}", config.destination,
                      config.timeout.count(), device.error().message()));
    if (waited >= next_report) {
      log.Say("waiting for destination '{}' ({} of {} s); block devices: {}", config.destination,
              waited.count() / 1000, config.timeout.count(), SeenDevices(root));
      next_report = waited + kReportInterval;
    }
    system.Sleep(kScanInterval);
  }
}

}  // namespace kdumpkit
