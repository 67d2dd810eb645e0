// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/retention.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "config/value_text.h"
#include "kdumpctl/json_read.h"
#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

using Json = nlohmann::ordered_json;

constexpr time_t kHour = 3600;
constexpr std::string_view kManifest = "manifest.json";

bool CanGo(const DumpRecord& dump) {
  return !dump.shared && (dump.layout == DumpLayout::kDated || dump.layout == DumpLayout::kTest);
}

bool MayBeInUse(const DumpRecord& dump, time_t now) {
  return !dump.IsComplete() && dump.changed > now - kHour;
}

// What is kept so far, of dumps that become older and older.
struct Tally {
  unsigned count = 0;
  uint64_t bytes = 0;
  bool full = false;  // once the room is used up, no older dump is kept because it is small
};

std::string WhyGone(const DumpRecord& dump, const Config& config, time_t now, Tally& tally) {
  tally.full |= config.keep_bytes != 0 && tally.bytes + dump.size > config.keep_bytes;
  if (config.keep_count != 0 && tally.count >= config.keep_count)
    return fmt::format("more than {} dump{}", config.keep_count, config.keep_count == 1 ? "" : "s");
  if (config.keep_age.count() != 0 && dump.time < now - config.keep_age.count())
    return fmt::format("older than {}", FormatDuration(config.keep_age));
  if (tally.full) return fmt::format("more than {} together", FormatSize(config.keep_bytes));
  return "";
}

// What kdump-capture and Fedora's capture write, and what the manifest names.
bool IsOurFile(const DumpRecord& dump, std::string_view name) {
  constexpr std::string_view kIncomplete = "-incomplete";
  if (dump.manifest.is_object() && dump.manifest.contains("files"))
    for (const Json& file : dump.manifest["files"])
      if (JsonText(file, "name") == name) return true;
  if (name == "vmcore-dmesg-incomplete.txt") return true;
  if (name.ends_with(kIncomplete)) name.remove_suffix(kIncomplete.size());
  for (std::string_view known :
       {std::string_view("vmcore"), std::string_view("vmcore.flat"),
        std::string_view("vmcore-dmesg.txt"), kManifest, std::string_view("capture.log"),
        std::string_view("kexec-dmesg.log"), std::string_view("opalcore")})
    if (name == known) return true;
  return false;
}

Status RemoveFile(int folder, const std::string& name, const DumpRecord& dump) {
  if (unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  return SystemError(errno, fmt::format("cannot delete '{}/{}'", dump.folder, name));
}

}  // namespace

std::vector<Removal> PlanRemovals(const std::vector<DumpRecord>& dumps, const Config& config,
                                  time_t now) {
  std::vector<Removal> removals;
  Tally tally;
  bool complete_seen = false;
  for (const DumpRecord& dump : dumps) {
    if (!CanGo(dump)) continue;
    bool needed = tally.count == 0 || (dump.IsComplete() && !complete_seen);
    complete_seen |= dump.IsComplete();
    std::string reason = WhyGone(dump, config, now, tally);
    if (!needed && !reason.empty() && !MayBeInUse(dump, now)) {
      removals.push_back({dump, reason});
      continue;
    }
    ++tally.count;
    tally.bytes += dump.size;
  }
  return removals;
}

Result<std::vector<std::string>> RemoveDump(const DumpRecord& dump, const RootDir& root) {
  // The folder's descriptor, so that a link that takes its place leads nowhere.
  UniqueFd folder = TRY(root.OpenAt(dump.folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  bool has_manifest = false;
  for (const DumpFile& file : dump.files) {
    has_manifest |= file.name == kManifest;
    if (file.name != kManifest && IsOurFile(dump, file.name))
      TRY(RemoveFile(folder.get(), file.name, dump));
  }
  if (has_manifest) TRY(RemoveFile(folder.get(), std::string(kManifest), dump));
  if (rmdir(root.HostPath(dump.folder).c_str()) == 0) return std::vector<std::string>();
  if (errno != ENOTEMPTY && errno != EEXIST)
    return SystemError(errno, fmt::format("cannot delete the folder '{}'", dump.folder));
  return root.List(dump.folder);
}

PruneResult Prune(const Config& config, const RootDir& root, time_t now, bool dry_run) {
  std::vector<DumpRecord> dumps = ListDumps(DumpPlaces(config, root), root);
  PruneResult result;
  std::vector<Removal> removals = PlanRemovals(dumps, config, now);
  std::reverse(removals.begin(), removals.end());  // the oldest one goes first
  for (Removal& removal : removals) {
    PruneResult::Entry entry{std::move(removal), {}, ""};
    if (!dry_run) {
      Result<std::vector<std::string>> left = RemoveDump(entry.removal.dump, root);
      if (left) entry.left = std::move(*left);
      if (!left) entry.error = left.error().message();
    }
    result.entries.push_back(std::move(entry));
  }
  result.kept = dumps.size() - result.entries.size();
  return result;
}

std::string PruneText(const PruneResult& result, bool dry_run) {
  std::string text;
  for (const auto& [removal, left, error] : result.entries) {
    if (!error.empty()) continue;
    text += fmt::format("{} '{}' ({}): {}\n", dry_run ? "would delete" : "deleted",
                        removal.dump.folder, SizeText(removal.dump.size), removal.reason);
    if (!left.empty())
      text += fmt::format("the folder '{}' stays, it has other files: {}\n", removal.dump.folder,
                          fmt::join(left, ", "));
  }
  return text;
}

Json PruneJson(const PruneResult& result, bool dry_run) {
  Json list = Json::array();
  for (const auto& [removal, left, error] : result.entries)
    list.push_back({{"folder", removal.dump.folder},
                    {"size", removal.dump.size},
                    {"reason", removal.reason},
                    {"left", left},
                    {"error", error}});
  return {{"dry_run", dry_run}, {"deleted", list}, {"kept", result.kept}};
}

}  // namespace kdumpkit
