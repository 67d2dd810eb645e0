// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/dump_places.h"

#include <algorithm>

#include "config/files.h"
#include "kdumpctl/local_folder.h"

namespace kdumpkit {
namespace {

bool IsShared(const Destination& destination) {
  return destination.kind == Destination::Kind::kNfs ||
         destination.kind == Destination::Kind::kVirtiofs ||
         destination.kind == Destination::Kind::kSsh;
}

void AddPlace(DumpPlace place, std::vector<DumpPlace>& places) {
  bool known = !place.folder.empty() &&
               std::any_of(places.begin(), places.end(), [&place](const DumpPlace& other) {
                 return other.folder == place.folder;
               });
  if (!known) places.push_back(std::move(place));
}

bool BringsDumpsHere(const Config& config) {
  return config.failure_action == FailureAction::kDumpToRootfs ||
         std::any_of(config.destinations.begin(), config.destinations.end(),
                     [](const Destination& destination) { return destination.IsRaw(); });
}

bool IsOwn(const DumpRecord& dump, const std::string& machine_id) {
  return !dump.machine_id.empty() && dump.machine_id == machine_id;
}

void AddDumps(const DumpPlace& place, const RootDir& root, std::vector<DumpRecord>& dumps) {
  std::string machine_id = root.ReadLine("/etc/machine-id").value_or("");
  for (const std::string& name : root.List(place.folder)) {
    std::string folder = place.folder == "/" ? "/" + name : place.folder + "/" + name;
    std::optional<DumpRecord> dump = ReadDump(root, folder);
    if (!dump) continue;
    dump->destination = place.destination;
    dump->shared = place.shared;
    dump->own = !place.shared || IsOwn(*dump, machine_id);
    dumps.push_back(std::move(*dump));
  }
}

}  // namespace

std::vector<DumpPlace> DumpPlaces(const Config& config, const RootDir& root) {
  std::vector<MountEntry> mounts;
  if (Result<std::string> text = root.ReadText("/proc/self/mountinfo", size_t{16} << 20))
    mounts = ParseMountInfo(*text);
  std::vector<DumpPlace> places;
  for (const Destination& destination : config.destinations) {
    LocalFolder found = FolderOf(destination, mounts, root);
    AddPlace({DestinationUri(destination), found.folder, found.reason, IsShared(destination)},
             places);
  }
  if (BringsDumpsHere(config) && config.path.starts_with('/'))
    AddPlace({config.path, config.path, "", false}, places);
  return places;
}

std::vector<DumpRecord> ListDumps(const std::vector<DumpPlace>& places, const RootDir& root) {
  std::vector<DumpRecord> dumps;
  for (const DumpPlace& place : places)
    if (!place.folder.empty()) AddDumps(place, root, dumps);
  std::sort(dumps.begin(), dumps.end(), [](const DumpRecord& a, const DumpRecord& b) {
    return a.time != b.time ? a.time > b.time : a.folder > b.folder;
  });
  return dumps;
}

Result<Config> ReadConfig(const RootDir& root) {
  std::vector<ConfigSource> sources = TRY(ReadConfigFiles(root));
  return ParseConfig(sources).config;
}

}  // namespace kdumpkit
