// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/checks.h"

#include <algorithm>
#include <utility>

namespace kdumpkit {
namespace {

using Kind = Destination::Kind;

class Checker {
 public:
  explicit Checker(ParsedConfig& reading) : reading_(reading), config_(reading.config) {}

  void Check() {
    CompletePaths();
    CheckRebuild();
    CheckBuilder();
    CheckCollector();
    CheckRawDestination();
    CheckFlattened();
    CheckTimes();
    CheckGuard();
  }

 private:
  // The line that set `name`, absent while it has its default.
  const SettingOrigin* Find(std::string_view name) const {
    auto found = reading_.origins.find(name);
    return found == reading_.origins.end() || found->second.empty() ? nullptr : &found->second[0];
  }

  static bool Later(const SettingOrigin* first, const SettingOrigin* second) {
    return second != nullptr && (first == nullptr || first->at.file != second->at.file ||
                                 second->at.line > first->at.line);
  }

  void Report(Severity severity, const Origin& at, std::string message, std::string suggestion) {
    reading_.problems.push_back({severity, at, std::move(message), std::move(suggestion)});
  }

  // Two settings that exclude each other; the problem stands at the later line.
  void Conflict(Severity severity, std::string_view first, std::string_view second,
                std::string_view reason, std::string suggestion) {
    const SettingOrigin* a = Find(first);
    const SettingOrigin* b = Find(second);
    if (!Later(a, b)) {
      std::swap(a, b);
      std::swap(first, second);
    }
    std::string where = a == nullptr ? "by default" : fmt::format("in {}", a->at.ToString());
    Report(severity, b == nullptr ? Origin{} : b->at,
           fmt::format("'{}' does not go with '{}' ({}): {}", second, first, where, reason),
           std::move(suggestion));
  }

  void CompletePaths() {
    const SettingOrigin* path = Find("path");
    Result<std::string> normal = NormalPath(config_.path);
    if (normal) config_.path = std::move(*normal);
    bool none = config_.destinations.empty();
    // It is the folder on the root file system, too.
    bool used = none || config_.failure_action == FailureAction::kDumpToRootfs;
    if (none) {
      config_.destinations.emplace_back();
      if (path != nullptr) reading_.origins["destination"] = {{path->at, "path"}};
    }
    for (Destination& destination : config_.destinations) {
      used = used || (destination.path.empty() && !destination.IsRaw());
      Status set = SetDefaultPath(destination, config_.path);
      if (set) continue;
      Report(Severity::kError, path == nullptr ? Origin{} : path->at,
             fmt::format("'path {}' cannot be used", Shown(config_.path)), set.error().message());
      destination.path = Config().path;
    }
    // Fedora, too, takes a path beside a raw target, and does not use it.
    bool raw = std::any_of(config_.destinations.begin(), config_.destinations.end(),
                           [](const Destination& destination) { return destination.IsRaw(); });
    if (used || raw || path == nullptr) return;
    Report(Severity::kWarning, path->at, "'path' has no effect: every destination names its folder",
           "remove the line, or the folder of a destination");
  }

  void CheckRebuild() {
    if (config_.force_rebuild && config_.force_no_rebuild)
      Conflict(Severity::kError, "force_rebuild", "force_no_rebuild", "they exclude each other",
               "remove one of the lines");
  }

  void CheckBuilder() {
    bool dracut = config_.image_builder == ImageBuilder::kAuto ||
                  config_.image_builder == ImageBuilder::kDracut;
    if (!config_.dracut_args.empty() && !dracut)
      Conflict(Severity::kError, "dracut_args", "image_builder", "the image is not built by dracut",
               "remove dracut_args, or write 'image_builder dracut'");
  }

  // scp is no program to run on /proc/vmcore: in Fedora it means a copy over ssh.
  void CheckCollector() {
    const SettingOrigin* collector = Find("core_collector");
    if (config_.collector.empty() || collector == nullptr) return;
    bool ssh =
        std::all_of(config_.destinations.begin(), config_.destinations.end(),
                    [](const Destination& destination) { return destination.kind == Kind::kSsh; });
    if (config_.collector[0] == "scp" && !ssh)
      Report(Severity::kError, collector->at, "'core_collector scp' needs ssh destinations only",
             "leave the line out: what to copy with follows from the destination");
    if (config_.dmesg_only)
      Conflict(Severity::kError, "core_collector", "dmesg_only", "only the log is saved",
               "remove one of the lines");
  }

  void CheckRawDestination() {
    if (!config_.dmesg_only) return;
    for (size_t i = 0; i < config_.destinations.size(); ++i) {
      if (!config_.destinations[i].IsRaw()) continue;
      Report(Severity::kError, OriginOfDestination(i),
             fmt::format("a raw device has no room for a log, and '{}' wants nothing else saved",
                         "dmesg_only"),
             "use a destination with folders");
    }
  }

  Origin OriginOfDestination(size_t index) const {
    auto found = reading_.origins.find("destination");
    if (found == reading_.origins.end() || index >= found->second.size()) return {};
    return found->second[index].at;
  }

  void CheckFlattened() {
    bool file = std::any_of(config_.destinations.begin(), config_.destinations.end(),
                            [](const Destination& destination) {
                              return !destination.IsRaw() && destination.kind != Kind::kSsh;
                            });
    const SettingOrigin* flattened = Find("flattened");
    if (!config_.flattened || !file || flattened == nullptr) return;
    Report(Severity::kWarning, flattened->at,
           "the dump file will be flattened, which readers have to undo first",
           flattened->by == "flattened" ? "remove the line" : "remove -F from core_collector");
  }

  void CheckTimes() {
    bool limited = config_.total_timeout.count() != 0;
    if (limited && config_.stall_timeout > config_.total_timeout)
      Conflict(Severity::kWarning, "stall_timeout", "total_timeout",
               "the whole capture ends before a stalled step is given up",
               "make stall_timeout the shorter one");
  }

  void CheckGuard() {
    if (config_.crash_loop_count == 0 && Find("crash_loop_window") != nullptr)
      Conflict(Severity::kWarning, "crash_loop_count", "crash_loop_window", "the guard is off",
               "remove the line");
  }

  ParsedConfig& reading_;
  Config& config_;
};

}  // namespace

void CompleteConfig(ParsedConfig& reading) { Checker(reading).Check(); }

}  // namespace kdumpkit
