// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/dump_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace kdumpkit {
namespace {

constexpr std::string_view kTestPrefix = "kdump-test-";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int Number(std::string_view digits) {
  int value = 0;
  for (char c : digits) value = value * 10 + (c - '0');
  return value;
}

// Reads `text` by a pattern of the letters Y m d H M S, one for each digit, and of others that
// must be there themselves.
std::optional<tm> ReadByPattern(std::string_view text, std::string_view pattern) {
  if (text.size() != pattern.size()) return std::nullopt;
  std::map<char, int> values;
  for (size_t i = 0; i < text.size(); ++i) {
    bool digit = std::string_view("YmdHMS").find(pattern[i]) != std::string_view::npos;
    if (digit ? !IsDigit(text[i]) : text[i] != pattern[i]) return std::nullopt;
    if (digit) values[pattern[i]] = values[pattern[i]] * 10 + (text[i] - '0');
  }
  if (values['m'] < 1 || values['m'] > 12 || values['d'] < 1 || values['d'] > 31 ||
      values['H'] > 23 || values['M'] > 59 || values['S'] > 60)
    return std::nullopt;
  tm time = {};
  time.tm_year = values['Y'] - 1900;
  time.tm_mon = values['m'] - 1;
  time.tm_mday = values['d'];
  time.tm_hour = values['H'];
  time.tm_min = values['M'];
  time.tm_sec = values['S'];
  time.tm_isdst = -1;
  return time;
}

// The same for a pattern at the end of a name; what is before it, without its '-', is the host.
std::optional<DumpName> MatchEnd(std::string_view name, std::string_view pattern,
                                 DumpLayout layout) {
  if (name.size() < pattern.size()) return std::nullopt;
  size_t at = name.size() - pattern.size();
  std::optional<tm> time = ReadByPattern(name.substr(at), pattern);
  if (!time || (at > 0 && (at == 1 || name[at - 1] != '-'))) return std::nullopt;
  DumpName found;
  found.layout = layout;
  found.host = name.substr(0, at == 0 ? 0 : at - 1);
  found.time = layout == DumpLayout::kDebian ? mktime(&*time) : timegm(&*time);
  return found;
}

// Without the "-2" of a second dump in one second.
std::string_view WithoutCounter(std::string_view name) {
  size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || name.size() - dash > 4) return name;
  std::string_view counter = name.substr(dash + 1);
  bool number = !counter.empty() && std::all_of(counter.begin(), counter.end(), IsDigit);
  return number && Number(counter) >= 2 ? name.substr(0, dash) : name;
}

std::optional<DumpName> Dated(std::string_view name) {
  std::optional<DumpName> found = MatchEnd(name, "YYYY-mm-dd-HH:MM:SS", DumpLayout::kDated);
  // Fedora and kdump-capture always write a host before the time.
  return found && !found->host.empty() ? found : std::nullopt;
}

}  // namespace

std::string_view LayoutName(DumpLayout layout) {
  switch (layout) {
    case DumpLayout::kDated:
      return "kdumpkit";
    case DumpLayout::kTest:
      return "test";
    case DumpLayout::kDebian:
      return "debian";
    case DumpLayout::kSuse:
      return "suse";
    case DumpLayout::kOther:
      break;
  }
  return "other";
}

std::optional<DumpName> ParseDumpName(std::string_view name) {
  if (name.starts_with(kTestPrefix) && name.size() > kTestPrefix.size()) {
    DumpName found;
    found.layout = DumpLayout::kTest;
    found.test_id = name.substr(kTestPrefix.size());
    return found;
  }
  if (std::optional<DumpName> found = Dated(name)) return found;
  if (std::optional<DumpName> found = Dated(WithoutCounter(name))) return found;
  for (std::string_view pattern : {"YYYY-mm-dd-HH-MM", "YYYY-mm-dd-HH:MM"})
    if (std::optional<DumpName> found = MatchEnd(name, pattern, DumpLayout::kSuse)) return found;
  return MatchEnd(name, "YYYYmmddHHMM", DumpLayout::kDebian);
}

std::string TimeText(time_t time) {
  if (time == 0) return "";
  tm parts = {};
  gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

time_t ParseTimeText(std::string_view text) {
  if (!text.ends_with('Z')) return 0;
  std::string_view whole = text.substr(0, text.find_first_of(".Z"));
  std::optional<tm> time = ReadByPattern(whole, "YYYY-mm-ddTHH:MM:SS");
  return time ? timegm(&*time) : 0;
}

}  // namespace kdumpkit
