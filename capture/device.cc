// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/device.h"

#include <strings.h>

#include <algorithm>
#include <optional>

#include "config/statement.h"

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
bool Matches(std::string_view source, const FileSystemId& id) {
  const struct {
    std::string_view tag;
    const std::string& value;
    bool any_case;
  } kTags[] = {{"UUID=", id.uuid, true},
               {"LABEL=", id.label, false},
               {"PARTUUID=", id.part_uuid, true},
               {"PARTLABEL=", id.part_label, false}};
  for (const auto& tag : kTags) {
    if (!source.starts_with(tag.tag)) continue;
    std::string wanted(source.substr(tag.tag.size()));
    return wanted == tag.value ||
           (tag.any_case && strcasecmp(wanted.c_str(), tag.value.c_str()) == 0);
  }
  return false;
}

Result<Device> Examine(const std::string& path, const Destination& destination, const RootDir& root,
                       CaptureSystem& system) {
  Result<FileSystemId> id = system.Probe(root.HostPath(path));
  bool type_needed = destination.fs_type.empty() && !destination.IsRaw();
  if (!id && (type_needed || id.error().kind() != ErrorKind::kUnsupported)) return id.error();
  Device device{path, id.value_or(FileSystemId{})};
  if (!destination.fs_type.empty()) device.id.type = destination.fs_type;
  if (type_needed && device.id.type.empty())
    return Unsupported("'{}' has no known file system", path);
  return device;
}

Result<Device> Search(const Destination& destination, const RootDir& root, CaptureSystem& system) {
  const std::string& wanted = destination.source;
  if (wanted.starts_with("/dev/")) return Examine(wanted, destination, root, system);
  for (const std::string& path : ListBlockDevices(root)) {
    Result<Device> device = Examine(path, destination, root, system);
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

Result<Device> WaitForDevice(const Destination& destination, std::chrono::seconds timeout,
                             const RootDir& root, CaptureSystem& system, CaptureLog& log) {
  milliseconds begin = system.Uptime();
  milliseconds next_report{0};
  for (;;) {
    Result<Device> device = Search(destination, root, system);
    if (device) return device;
    milliseconds waited = system.Uptime() - begin;
    if (waited >= timeout)
      return Error(ErrorKind::kSystem,
                   fmt::format("destination '{}' did not appear within {} s: {}",
                               destination.source, timeout.count(), device.error().message()));
    if (waited >= next_report) {
      log.Say("waiting for destination '{}' ({} of {} s); block devices: {}", destination.source,
              waited.count() / 1000, timeout.count(), SeenDevices(root));
      next_report = waited + kReportInterval;
    }
    system.Sleep(kScanInterval);
  }
}

}  // namespace kdumpkit
