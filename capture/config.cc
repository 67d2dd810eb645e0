// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/config.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

namespace kdumpkit {
namespace {

using Value = std::string_view;

std::optional<unsigned> ParseNumber(Value text, unsigned low, unsigned high) {
  unsigned number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (number < low || number > high) return std::nullopt;
  return number;
}

template <typename T>
struct Choice {
  std::string_view name;
  T value;
};

template <typename T>
bool SetChoice(std::span<const Choice<T>> choices, Value text, T& out) {
  for (const Choice<T>& choice : choices) {
    if (choice.name != text) continue;
    out = choice.value;
    return true;
  }
  return false;
}

bool SetNumber(Value text, unsigned low, unsigned high, unsigned& out) {
  std::optional<unsigned> number = ParseNumber(text, low, high);
  if (number) out = *number;
  return number.has_value();
}

bool SetSeconds(Value text, unsigned low, unsigned high, std::chrono::seconds& out) {
  std::optional<unsigned> number = ParseNumber(text, low, high);
  if (number) out = std::chrono::seconds(*number);
  return number.has_value();
}

bool SetDestination(CaptureConfig& config, Value text) {
  // Without udev there are no links in /dev/disk; the same is found by looking at each device.
  constexpr std::string_view kByUuid = "/dev/disk/by-uuid/";
  constexpr std::string_view kByLabel = "/dev/disk/by-label/";
  std::string destination(text);
  if (text.starts_with(kByUuid)) destination = fmt::format("UUID={}", text.substr(kByUuid.size()));
  if (text.starts_with(kByLabel))
    destination = fmt::format("LABEL={}", text.substr(kByLabel.size()));
  for (std::string_view prefix : {"UUID=", "LABEL=", "/dev/"}) {
    if (!destination.starts_with(prefix) || destination.size() == prefix.size()) continue;
    config.destination = std::move(destination);
    return true;
  }
  return false;
}

bool SetPath(CaptureConfig& config, Value text) {
  std::string path(text);
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  // A component ".." could leave the mounted file system.
  if (!path.starts_with('/') || (path + '/').find("/../") != std::string::npos) return false;
  config.path = std::move(path);
  return true;
}

bool SetHost(CaptureConfig& config, Value text) {
  if (text.empty() || text.size() > 64 || text.starts_with('.')) return false;
  if (text.find('/') != Value::npos) return false;
  config.host = text;
  return true;
}

bool SetFsType(CaptureConfig& config, Value text) {
  if (text.empty()) return false;
  config.fs_type = text;
  return true;
}

bool SetCompression(CaptureConfig& config, Value text) {
  static constexpr Choice<Compression> kChoices[] = {{"none", Compression::kNone},
                                                     {"zlib", Compression::kZlib},
                                                     {"lzo", Compression::kLzo},
                                                     {"snappy", Compression::kSnappy},
                                                     {"zstd", Compression::kZstd}};
  return SetChoice<Compression>(kChoices, text, config.compression);
}

bool SetFinal(CaptureConfig& config, Value text) {
  static constexpr Choice<FinalAction> kChoices[] = {{"reboot", FinalAction::kReboot},
                                                     {"poweroff", FinalAction::kPowerOff},
                                                     {"halt", FinalAction::kHalt}};
  return SetChoice<FinalAction>(kChoices, text, config.final_action);
}

struct Word {
  std::string_view name;
  bool (*set)(CaptureConfig&, Value);  // false: a bad value, the configuration is as it was
};

constexpr Word kWords[] = {
    {"dest", SetDestination},
    {"path", SetPath},
    {"fstype", SetFsType},
    {"host", SetHost},
    {"compression", SetCompression},
    {"final", SetFinal},
    {"level", [](CaptureConfig& c, Value text) { return SetNumber(text, 0, 31, c.level); }},
    {"threads", [](CaptureConfig& c, Value text) { return SetNumber(text, 1, 1024, c.threads); }},
    {"timeout", [](CaptureConfig& c, Value text) { return SetSeconds(text, 0, 86400, c.timeout); }},
    {"stall", [](CaptureConfig& c, Value text) { return SetSeconds(text, 1, 86400, c.stall); }},
};

void ApplyWord(std::string_view word, ConfigReading& reading) {
  size_t equals = std::min(word.find('='), word.size());
  std::string_view name = word.substr(0, equals);
  std::string_view value = word.substr(std::min(equals + 1, word.size()));
  for (const Word& known : kWords) {
    if (known.name != name) continue;
    if (!known.set(reading.config, value))
      reading.complaints.push_back(fmt::format("'kdump.{}': bad value, ignoring", word));
    return;
  }
  reading.complaints.push_back(fmt::format("'kdump.{}': unknown word, ignoring", word));
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

ConfigReading ReadCaptureConfig(std::string_view command_line) {
  constexpr std::string_view kPrefix = "kdump.";
  ConfigReading reading;
  for (const std::string& word : SplitCommandLine(command_line)) {
    if (word.starts_with(kPrefix))
      ApplyWord(std::string_view(word).substr(kPrefix.size()), reading);
  }
  return reading;
}

std::string_view Describe(FinalAction action) {
  switch (action) {
    case FinalAction::kReboot:
      return "rebooting";
    case FinalAction::kPowerOff:
      return "powering off";
    case FinalAction::kHalt:
      return "halting";
  }
  CHECK(false);
}

}  // namespace kdumpkit
