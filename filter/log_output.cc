// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/log_output.h"

#include <array>
#include <nlohmann/json.hpp>

namespace kdumpkit {
namespace {

constexpr std::array<std::string_view, 8> kLevels = {"emerg", "alert",  "crit", "err",
                                                     "warn",  "notice", "info", "debug"};

Result<int> ParseLogLevel(std::string_view name) {
  for (int level = 0; level < static_cast<int>(kLevels.size()); ++level)
    if (name == kLevels[static_cast<size_t>(level)] || name == std::to_string(level)) return level;
  return UsageError(
      "--dmesg-level: '{}' is no level; emerg, alert, crit, err, warn, notice, info, debug or 0 to "
      "7 are",
      name);
}

template <typename T>
nlohmann::ordered_json OrNull(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

}  // namespace

Result<unsigned> ParseLogLevels(std::string_view text) {
  unsigned levels = 0;
  for (bool more = true; more;) {
    std::string_view name = text.substr(0, text.find(','));
    more = name.size() < text.size();
    text.remove_prefix(std::min(name.size() + 1, text.size()));
    bool and_above = name.ends_with('+');
    if (and_above) name.remove_suffix(1);
    int level = TRY(ParseLogLevel(name));
    levels |= 1U << level;
    if (and_above) levels |= (1U << level) - 1;
  }
  return levels;
}

bool HasLogLevel(const LogRecord& record, unsigned levels) {
  return !record.level || (levels >> *record.level & 1) != 0;
}

std::string LogRecordJson(const LogRecord& record) {
  std::optional<std::string> caller;
  if (record.caller) caller = LogCallerName(*record.caller);
  nlohmann::ordered_json device = nlohmann::ordered_json::object();
  for (const auto& [key, value] : record.device) device[key] = value;
  nlohmann::ordered_json json = {
      {"seq", OrNull(record.seq)},     {"time_ns", OrNull(record.ts_nsec)},
      {"level", OrNull(record.level)}, {"facility", OrNull(record.facility)},
      {"caller", OrNull(caller)},      {"device", std::move(device)},
      {"text", record.text},
  };
  // A kernel may print any bytes; what is not UTF-8 is shown as the replacement character.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace kdumpkit
