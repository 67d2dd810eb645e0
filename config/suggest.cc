// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/suggest.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/nearest.h"
#include "config/directives.h"

namespace kdumpkit {
namespace {

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Whether `name` stands in `text` as a word of its own.
bool HasWord(std::string_view text, std::string_view name) {
  for (size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    size_t end = at + name.size();
    bool begins = at == 0 || !IsNameCharacter(text[at - 1]);
    if (begins && (end == text.size() || !IsNameCharacter(text[end]))) return true;
  }
  return false;
}

// The directive that is known elsewhere as `name` (KDUMP_DUMPLEVEL).
std::string_view ByIncumbentsName(std::string_view name) {
  bool capitals = std::all_of(name.begin(), name.end(),
                              [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
  if (name.empty() || !capitals) return {};
  for (const Directive& directive : Directives())
    if (HasWord(directive.incumbents, name)) return directive.name;
  return {};
}

std::string_view NearestDirective(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Directive& directive : Directives()) names.push_back(directive.name);
  return Nearest(name, names);
}

}  // namespace

std::string SuggestName(std::string_view name) {
  size_t equals = name.find('=');
  std::string_view left = name.substr(0, equals);
  std::string_view known = FindDirective(left) != nullptr ? left : ByIncumbentsName(left);
  if (known.empty()) known = NearestDirective(left);
  if (equals != std::string_view::npos) {
    if (known.empty()) return "a directive and its value stand side by side, without '='";
    return fmt::format("write '{} {}', without '='", known, Shown(name.substr(equals + 1)));
  }
  if (known.empty()) return "kdump.conf(5) lists all directives";
  return fmt::format("did you mean '{}'?", known);
}

}  // namespace kdumpkit
