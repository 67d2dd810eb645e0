// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/guard.h"

#include <cstdlib>

namespace kdumpkit {
namespace {

constexpr const char* kTimeFormat = "%Y-%m-%d-%H:%M:%S";

}  // namespace

std::string DumpFolderName(const CaptureConfig& config, time_t now) {
  if (!config.test_id.empty()) return fmt::format("kdump-test-{}", config.test_id);
  tm parts = {};
  gmtime_r(&now, &parts);
  char text[32];
  size_t size = strftime(text, sizeof(text), kTimeFormat, &parts);
  return fmt::format("{}-{}", config.host, std::string_view(text, size));
}

std::optional<time_t> TimeOfFolder(std::string_view name, std::string_view host) {
  if (!name.starts_with(host) || name.substr(host.size(), 1) != "-") return std::nullopt;
  std::string text(name.substr(host.size() + 1));
  tm parts = {};
  const char* end = strptime(text.c_str(), kTimeFormat, &parts);
  // A second dump of one second has a number behind it.
  if (end == nullptr || (*end != '\0' && *end != '-')) return std::nullopt;
  return timegm(&parts);
}

unsigned RecentDumps(const std::vector<std::string>& names, std::string_view host, time_t now,
                     std::chrono::seconds window) {
  unsigned count = 0;
  for (const std::string& name : names) {
    std::optional<time_t> time = TimeOfFolder(name, host);
    if (time && std::abs(now - *time) <= window.count()) ++count;
  }
  return count;
}

}  // namespace kdumpkit
