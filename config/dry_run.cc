// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/dry_run.h"

#include <fmt/format.h>

namespace kdumpkit {
namespace {

constexpr std::string_view kFirstLine = "kdumpctl test --dry";

std::string_view TakeLine(std::string_view& text) {
  std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

}  // namespace

std::string DryRun::FolderOf(size_t place) { return fmt::format("{}/{}", kDryFolder, place); }

// Keys and paths may have blanks, but no tab or newline: kdumpctl leaves such a place out.
std::string DryRunText(const DryRun& dry) {
  std::string text = fmt::format("{}\n", kFirstLine);
  if (dry.keep) text += "keep\n";
  for (const DryPlace& place : dry.places) text += fmt::format("{}\t{}\n", place.key, place.path);
  return text;
}

std::optional<DryRun> ParseDryRun(std::string_view text) {
  if (TakeLine(text) != kFirstLine) return std::nullopt;
  DryRun dry;
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    size_t tab = line.find('\t');
    if (line == "keep") {
      dry.keep = true;
    } else if (tab != std::string_view::npos) {
      dry.places.push_back({std::string(line.substr(0, tab)), std::string(line.substr(tab + 1))});
    } else {
      return std::nullopt;
    }
  }
  return dry;
}

}  // namespace kdumpkit
