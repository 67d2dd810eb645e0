// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/value_text.h"

#include <charconv>
#include <optional>

namespace kdumpkit {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

// Of the names of one size the first is the one to write. From large to small.
constexpr Unit kSizeUnits[] = {
    {"T", uint64_t{1} << 40}, {"TB", uint64_t{1} << 40}, {"TiB", uint64_t{1} << 40},
    {"G", uint64_t{1} << 30}, {"GB", uint64_t{1} << 30}, {"GiB", uint64_t{1} << 30},
    {"M", uint64_t{1} << 20}, {"MB", uint64_t{1} << 20}, {"MiB", uint64_t{1} << 20},
    {"K", uint64_t{1} << 10}, {"KB", uint64_t{1} << 10}, {"KiB", uint64_t{1} << 10},
    {"k", uint64_t{1} << 10}, {"kB", uint64_t{1} << 10}, {"B", 1},
};
constexpr Unit kTimeUnits[] = {
    {"d", 86400},      {"day", 86400}, {"days", 86400}, {"w", 604800},   {"week", 604800},
    {"weeks", 604800}, {"h", 3600},    {"hour", 3600},  {"hours", 3600}, {"min", 60},
    {"m", 60},         {"minute", 60}, {"minutes", 60}, {"s", 1},        {"sec", 1},
    {"second", 1},     {"seconds", 1},
};

template <size_t N>
std::optional<uint64_t> Factor(const Unit (&units)[N], std::string_view name) {
  for (const Unit& unit : units)
    if (unit.name == name) return unit.factor;
  return std::nullopt;
}

template <size_t N>
std::string Format(const Unit (&units)[N], uint64_t value) {
  if (value == 0) return "0";
  for (const Unit& unit : units) {
    if (unit.name != "w" && value % unit.factor == 0)
      return fmt::format("{}{}", value / unit.factor, unit.name);
  }
  CHECK(false);
}

// The number at the front of `text`, which is taken off.
std::optional<uint64_t> TakeNumber(std::string_view& text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

std::string_view TakeUnit(std::string_view& text) {
  std::string_view unit = text.substr(0, text.find_first_of("0123456789"));
  text.remove_prefix(unit.size());
  return unit;
}

std::optional<uint64_t> Times(uint64_t number, uint64_t factor) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(number, factor, &product)) return std::nullopt;
  return product;
}

// Seconds, absent when it is no duration or more than 64 bits.
std::optional<uint64_t> TakeSeconds(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t sum = 0;
  bool alone = true;  // a number without a unit is one of seconds, and must be the only one
  while (!text.empty()) {
    std::optional<uint64_t> number = TakeNumber(text);
    std::string_view name = TakeUnit(text);
    if (name.empty() && !alone) return std::nullopt;
    std::optional<uint64_t> factor = name.empty() ? 1 : Factor(kTimeUnits, name);
    if (!number || !factor) return std::nullopt;
    std::optional<uint64_t> part = Times(*number, *factor);
    if (!part || __builtin_add_overflow(sum, *part, &sum)) return std::nullopt;
    alone = false;
  }
  return sum;
}

std::optional<unsigned> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

}  // namespace

Result<bool> ParseFlag(std::string_view text) {
  for (std::string_view yes : {"yes", "1", "true", "on"})
    if (text == yes) return true;
  for (std::string_view no : {"no", "0", "false", "off"})
    if (text == no) return false;
  return UsageError("write yes or no");
}

std::string FormatFlag(bool value) { return value ? "yes" : "no"; }

Result<unsigned> ParseCount(std::string_view text, unsigned low, unsigned high) {
  unsigned number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool whole = error == std::errc() && end == text.data() + text.size();
  if (whole && number >= low && number <= high) return number;
  return UsageError("a whole number from {} to {} is wanted", low, high);
}

Result<uint64_t> ParseSize(std::string_view text) {
  std::string_view rest = text;
  std::optional<uint64_t> number = TakeNumber(rest);
  if (number && rest.empty() && *number != 0)
    return UsageError("a size needs a unit: {0}K, {0}M, {0}G", *number);
  std::optional<uint64_t> factor = rest.empty() ? 1 : Factor(kSizeUnits, rest);
  if (!number || !factor)
    return UsageError("a size is a whole number and a unit, such as 512K, 64M or 2G");
  std::optional<uint64_t> bytes = Times(*number, *factor);
  if (!bytes) return UsageError("that is more than 64 bits hold");
  return *bytes;
}

std::string FormatSize(uint64_t bytes) { return Format(kSizeUnits, bytes); }

Result<std::chrono::seconds> ParseDuration(std::string_view text, std::chrono::seconds low,
                                           std::chrono::seconds high) {
  std::optional<uint64_t> count = TakeSeconds(text);
  if (!count) return UsageError("a duration is a number of seconds, or such as 30s, 10min, 1h, 7d");
  if (*count >= static_cast<uint64_t>(low.count()) && *count <= static_cast<uint64_t>(high.count()))
    return std::chrono::seconds(*count);
  return UsageError("it must be from {} to {}", FormatDuration(low), FormatDuration(high));
}

std::string FormatDuration(std::chrono::seconds duration) {
  return Format(kTimeUnits, static_cast<uint64_t>(duration.count()));
}

Result<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      std::optional<unsigned> high = i + 2 < text.size() ? HexDigit(text[i + 1]) : std::nullopt;
      std::optional<unsigned> low = i + 2 < text.size() ? HexDigit(text[i + 2]) : std::nullopt;
      if (!high || !low) return UsageError("write %25 for a '%'");
      c = static_cast<char>(*high * 16 + *low);
      i += 2;
    }
    // A tab may stand in quotes.
    auto byte = static_cast<unsigned char>(c);
    bool control = (byte < 0x20 && c != '\t') || byte == 0x7f;
    if (control) return UsageError("it has control characters");
    decoded += c;
  }
  return decoded;
}

std::string PercentEncode(std::string_view text) {
  std::string encoded;
  for (char c : text) encoded += c == '%' ? std::string("%25") : std::string(1, c);
  return encoded;
}

}  // namespace kdumpkit
