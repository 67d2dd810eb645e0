// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace kdumpkit {
namespace {

// Bytes of the UTF-8 character that `text` begins with; 0 when it is none.
size_t CharacterSize(std::string_view text) {
  auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  size_t size = byte(0) < 0x80 ? 1 : byte(0) >> 5 == 6 ? 2 : byte(0) >> 4 == 14 ? 3 : 4;
  constexpr uint32_t kLowest[] = {0, 0, 0x80, 0x800, 0x10000};
  constexpr unsigned char kFirstBits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  if (size > text.size() || (size == 4 && byte(0) >> 3 != 30)) return 0;
  uint32_t code = byte(0) & kFirstBits[size];
  for (size_t i = 1; i < size; ++i) {
    if (byte(i) >> 6 != 2) return 0;
    code = code << 6 | (byte(i) & 0x3fU);
  }
  bool surrogate = code >= 0xd800 && code < 0xe000;
  return code < kLowest[size] || surrogate || code > 0x10ffff ? 0 : size;
}

// The end of the value that `text` begins with: a text, or all up to a comma or bracket on the
// outermost level.
size_t ValueEnd(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
      continue;
    }
    if (c == '"') quoted = true;
    bool closes = c == '}' || c == ']';
    if (depth == 0 && (closes || c == ',' || c == ':')) return i;
    if (c == '{' || c == '[') ++depth;
    if (closes) --depth;
  }
  return text.size();
}

}  // namespace

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

std::string JsonText(std::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    char c = text.front();
    size_t size = CharacterSize(text);
    if (c == '"' || c == '\\') quoted += '\\';
    if (size == 1 && static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", c);
    } else if (size == 0) {
      quoted += "\xef\xbf\xbd";
    } else {
      quoted += text.substr(0, size);
    }
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return quoted + '"';
}

std::optional<std::string_view> JsonMember(std::string_view text, std::string_view name) {
  text = Trimmed(text);
  if (!text.starts_with('{')) return std::nullopt;
  while (text.size() > 1) {
    text.remove_prefix(1);  // The opening bracket, or a comma.
    size_t colon = ValueEnd(text);
    if (colon >= text.size() || text[colon] != ':') return std::nullopt;
    bool wanted = Trimmed(text.substr(0, colon)) == fmt::format("\"{}\"", name);
    text.remove_prefix(colon + 1);
    size_t end = ValueEnd(text);
    if (wanted) return Trimmed(text.substr(0, end));
    text.remove_prefix(end);
  }
  return std::nullopt;
}

std::optional<uint64_t> JsonNumber(std::string_view text, std::string_view name) {
  std::string_view value = JsonMember(text, name).value_or("");
  uint64_t number = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return std::nullopt;
  return number;
}

std::string_view JsonWord(std::string_view text, std::string_view name) {
  std::string_view value = JsonMember(text, name).value_or("");
  return value.size() < 2 ? std::string_view() : value.substr(1, value.size() - 2);
}

}  // namespace kdumpkit
