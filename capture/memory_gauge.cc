// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/memory_gauge.h"

#include <algorithm>
#include <charconv>

namespace kdumpkit {
namespace {

// "MemAvailable:    123456 kB", in bytes.
std::optional<uint64_t> Field(std::string_view text, std::string_view name) {
  size_t at = text.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + name.size());
  text.remove_prefix(std::min(text.find_first_not_of(": "), text.size()));
  uint64_t kib = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), kib);
  if (error != std::errc()) return std::nullopt;
  return kib << 10;
}

}  // namespace

void MemoryGauge::Sample() {
  constexpr std::chrono::seconds kInterval{1};
  auto now = std::chrono::steady_clock::now();
  if (last_ && now - *last_ < kInterval) return;
  last_ = now;
  Result<std::string> text = root_.ReadText("/proc/meminfo");
  if (!text) return;
  total_ = Field(*text, "MemTotal").value_or(total_);
  std::optional<uint64_t> available = Field(*text, "MemAvailable");
  if (available) lowest_ = std::min(*available, lowest_.value_or(*available));
}

}  // namespace kdumpkit
