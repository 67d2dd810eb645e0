// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/config.h"

#include <algorithm>
#include <cctype>

#include "config/directives.h"

namespace kdumpkit {
namespace {

constexpr std::string_view kPrefix = "kdump.";
constexpr size_t kMaxName = 64;

// Directives that have another name on the command line.
struct Alias {
  std::string_view word;
  std::string_view directive;
};
constexpr Alias kAliases[] = {
    {"timeout", "device_timeout"}, {"stall", "stall_timeout"}, {"final", "final_action"}};

// A name that becomes part of a folder's name.
bool SetName(std::string_view text, std::string& out) {
  bool good = !text.empty() && text.size() <= kMaxName && !text.starts_with('.') &&
              std::all_of(text.begin(), text.end(),
                          [](char c) { return std::isgraph(static_cast<unsigned char>(c)) != 0; });
  if (!good || text.find('/') != std::string_view::npos) return false;
  out = text;
  return true;
}

// What the words say, before it is put over the file's settings.
class WordReader {
 public:
  explicit WordReader(ConfigReading& reading) : reading_(reading), config_(reading.config) {}

  void Read(std::string_view word) {
    size_t equals = std::min(word.find('='), word.size());
    std::string_view name = word.substr(0, equals);
    std::string_view value = word.substr(std::min(equals + 1, word.size()));
    const char* trouble = Apply(name, value);
    if (trouble == nullptr) return;
    reading_.complaints.push_back(fmt::format("'{}{}': {}, ignoring", kPrefix, word, trouble));
  }

  // Destinations get what is said for all of them.
  void Finish() {
    if (destination_) config_.destinations = {std::move(*destination_)};
    for (Destination& destination : config_.destinations) {
      if (path_given_ && !destination.IsRaw()) destination.path = config_.path;
      if (!fs_type_.empty() && destination.kind == Destination::Kind::kDevice)
        destination.fs_type = fs_type_;
      // It fails for folders of the running system only, which have no meaning here anyway.
      (void)SetDefaultPath(destination, config_.path);
    }
  }

 private:
  // What is wrong; null: nothing.
  const char* Apply(std::string_view name, std::string_view value) {
    constexpr const char* kBad = "bad value";
    if (name == "dest") return SetDestination(value) ? nullptr : kBad;
    if (name == "path") return SetPath(value) ? nullptr : kBad;
    if (name == "host") return SetName(value, config_.host) ? nullptr : kBad;
    if (name == "boot-id") return SetName(value, config_.boot_id) ? nullptr : kBad;
    if (name == "test-id") return SetName(value, config_.test_id) ? nullptr : kBad;
    if (name == "fstype") {
      if (!value.empty()) fs_type_ = value;
      return value.empty() ? kBad : nullptr;
    }
    const Directive* directive = DirectiveOf(name);
    if (directive == nullptr) return "unknown word";
    return SetDirective(*directive, value) ? nullptr : kBad;
  }

  static const Directive* DirectiveOf(std::string_view name) {
    for (const Alias& alias : kAliases)
      if (alias.word == name) name = alias.directive;
    const Directive* directive = FindDirective(name);
    bool usable = directive != nullptr && directive->capture && directive->role == Role::kValue &&
                  !directive->repeatable;
    return usable ? directive : nullptr;
  }

  bool SetDirective(const Directive& directive, std::string_view value) {
    Result<std::vector<Word>> words = SplitWords(value);
    if (!words || words->empty()) return false;
    Statement statement{0, std::string(directive.name), std::string(value), std::move(*words)};
    Config scratch = config_;
    if (!SetField(directive, statement, scratch)) return false;
    static_cast<Config&>(config_) = std::move(scratch);
    return true;
  }

  bool SetDestination(std::string_view value) {
    Result<Destination> destination = ParseDestination({std::string(value)});
    if (!destination || destination->kind == Destination::Kind::kFolder) return false;
    destination_ = std::move(*destination);
    return true;
  }

  bool SetPath(std::string_view value) {
    Result<std::string> path = NormalPath(value);
    if (!path || !path->starts_with('/')) return false;
    config_.path = std::move(*path);
    path_given_ = true;
    return true;
  }

  ConfigReading& reading_;
  CaptureConfig& config_;
  std::optional<Destination> destination_;
  std::string fs_type_;
  bool path_given_ = false;
};

// Without udev there are no links in /dev/disk; the same is found by looking at each device.
void UndoLink(std::string& source) {
  constexpr struct {
    std::string_view folder;
    std::string_view tag;
  } kLinks[] = {{"/dev/disk/by-uuid/", "UUID="},
                {"/dev/disk/by-label/", "LABEL="},
                {"/dev/disk/by-partuuid/", "PARTUUID="},
                {"/dev/disk/by-partlabel/", "PARTLABEL="}};
  for (const auto& link : kLinks)
    if (source.starts_with(link.folder))
      source = fmt::format("{}{}", link.tag, source.substr(link.folder.size()));
}

void ReadFile(const ConfigSource& file, ConfigReading& reading) {
  ParsedConfig parsed = ParseConfig({&file, 1});
  static_cast<Config&>(reading.config) = std::move(parsed.config);
  for (const Problem& problem : parsed.problems)
    if (problem.severity == Severity::kError)
      reading.complaints.push_back(FormatProblem(problem) + ", ignoring");
}

}  // namespace

std::vector<std::string> SplitCommandLine(std::string_view command_line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  for (char c : command_line) {
    bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (c == '"') {
      quoted = !quoted;
    } else if (blank && !quoted) {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else {
      word.push_back(c);
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::string CommandLineValue(std::string_view command_line, std::string_view name) {
  std::string value;
  for (const std::string& word : SplitCommandLine(command_line))
    if (word.starts_with(name) && word.size() > name.size() && word[name.size()] == '=')
      value = word.substr(name.size() + 1);
  return value;
}

ConfigReading ReadCaptureConfig(std::string_view command_line,
                                const std::optional<ConfigSource>& file) {
  ConfigReading reading;
  if (file) ReadFile(*file, reading);
  WordReader reader(reading);
  for (const std::string& word : SplitCommandLine(command_line))
    if (word.starts_with(kPrefix)) reader.Read(std::string_view(word).substr(kPrefix.size()));
  reader.Finish();
  for (Destination& destination : reading.config.destinations) UndoLink(destination.source);
  return reading;
}

std::string_view Describe(EndAction action) {
  switch (action) {
    case EndAction::kReboot:
      return "rebooting";
    case EndAction::kPowerOff:
      return "powering off";
    case EndAction::kHalt:
      return "halting";
    case EndAction::kShell:
      return "starting a shell";
  }
  CHECK(false);
}

}  // namespace kdumpkit
