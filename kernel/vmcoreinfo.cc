// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/vmcoreinfo.h"

#include <algorithm>
#include <charconv>

namespace kdumpkit {
namespace {

// The kernel has one page for the text (VMCOREINFO_BYTES), 64 KiB at most.
constexpr size_t kMaxText = size_t{1} << 20;
constexpr size_t kMaxLine = 4096;
// A text with more bad lines than this is not worth a longer list.
constexpr size_t kMaxBadLines = 16;
constexpr size_t kMaxQuoted = 80;

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::string Quoted(std::string_view line) {
  std::string result;
  for (char c : line.substr(0, kMaxQuoted)) result += (c >= ' ' && c <= '~') ? c : '?';
  return result + (line.size() > kMaxQuoted ? "…" : "");
}

template <typename T>
std::optional<T> FromChars(std::string_view text, int base) {
  T value = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<uint64_t> ParseHex(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  return FromChars<uint64_t>(text, 16);
}

std::optional<uint64_t> ParseDecimal(std::string_view text) {
  return FromChars<uint64_t>(text, 10);
}

// The kernel prints %ld nearly everywhere and 0x%lx for some addresses; what exceeds an int64_t
// keeps its bits.
std::optional<int64_t> ParseNumber(std::string_view text) {
  if (text.starts_with('-')) return FromChars<int64_t>(text, 10);
  std::optional<uint64_t> value = text.starts_with("0x") ? ParseHex(text) : ParseDecimal(text);
  if (!value) return std::nullopt;
  return static_cast<int64_t>(*value);
}

bool IsCall(std::string_view key, std::string_view function) {
  return key.starts_with(function) && key.ends_with(')') && key.size() > function.size() + 1;
}

// Whether the value is of the kind that the key announces.
bool HasValidValue(std::string_view key, std::string_view value) {
  if (IsCall(key, "SYMBOL(") || key == "KERNELOFFSET") return ParseHex(value).has_value();
  if (IsCall(key, "NUMBER(")) return ParseNumber(value).has_value();
  if (IsCall(key, "SIZE(") || IsCall(key, "OFFSET(") || IsCall(key, "LENGTH(")) {
    return ParseDecimal(value).has_value();
  }
  return true;
}

struct KeyValue {
  std::string_view key;
  std::string_view value;
};

std::optional<KeyValue> ParseLine(std::string_view line) {
  size_t equals = line.find('=');
  if (line.size() > kMaxLine || equals == std::string_view::npos || equals == 0) return {};
  KeyValue pair{line.substr(0, equals), line.substr(equals + 1)};
  if (!IsPrintable(line) || !HasValidValue(pair.key, pair.value)) return {};
  return pair;
}

// Takes the next line off the text, without its "\n" or "\r\n".
std::string_view TakeLine(std::string_view& text) {
  size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Error Missing(std::string_view key) { return Unsupported("VMCOREINFO has no {}", key); }

template <typename T>
Result<T> Require(std::optional<T> value, std::string_view key) {
  if (!value) return Missing(key);
  return *value;
}

}  // namespace

Result<Vmcoreinfo> Vmcoreinfo::Parse(std::string_view text) {
  if (text.size() > kMaxText) return Malformed("VMCOREINFO of {} bytes", text.size());
  // The note is padded with NULs, and a C string ends there for the kernel's own readers too.
  text = text.substr(0, text.find('\0'));
  Vmcoreinfo info;
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = TakeLine(text);
    if (line.empty()) continue;
    if (std::optional<KeyValue> pair = ParseLine(line)) {
      info.values_.insert_or_assign(std::string(pair->key), std::string(pair->value));
    } else if (info.bad_lines_.size() < kMaxBadLines) {
      info.bad_lines_.push_back(fmt::format("line {}: '{}'", number, Quoted(line)));
    }
  }
  if (info.values_.empty()) return Malformed("VMCOREINFO without a valid line");
  return info;
}

std::optional<std::string> Vmcoreinfo::Text(std::string_view key) const {
  auto found = values_.find(key);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

std::optional<VirtAddr> Vmcoreinfo::Symbol(std::string_view name) const {
  std::optional<std::string> text = Text(fmt::format("SYMBOL({})", name));
  if (!text) return std::nullopt;
  return VirtAddr(*ParseHex(*text));
}

std::optional<uint64_t> Vmcoreinfo::Decimal(std::string_view key) const {
  std::optional<std::string> text = Text(key);
  return text ? ParseDecimal(*text) : std::nullopt;
}

std::optional<uint64_t> Vmcoreinfo::Size(std::string_view type) const {
  return Decimal(fmt::format("SIZE({})", type));
}

std::optional<uint64_t> Vmcoreinfo::Offset(std::string_view type, std::string_view member) const {
  return Decimal(fmt::format("OFFSET({}.{})", type, member));
}

std::optional<uint64_t> Vmcoreinfo::Length(std::string_view name) const {
  return Decimal(fmt::format("LENGTH({})", name));
}

std::optional<int64_t> Vmcoreinfo::Number(std::string_view name) const {
  std::optional<std::string> text = Text(fmt::format("NUMBER({})", name));
  return text ? ParseNumber(*text) : std::nullopt;
}

std::optional<uint64_t> Vmcoreinfo::PageSize() const { return Decimal("PAGESIZE"); }

Result<VirtAddr> Vmcoreinfo::RequireSymbol(std::string_view name) const {
  return Require(Symbol(name), fmt::format("SYMBOL({})", name));
}

Result<uint64_t> Vmcoreinfo::RequireSize(std::string_view type) const {
  return Require(Size(type), fmt::format("SIZE({})", type));
}

Result<uint64_t> Vmcoreinfo::RequireOffset(std::string_view type, std::string_view member) const {
  return Require(Offset(type, member), fmt::format("OFFSET({}.{})", type, member));
}

Result<uint64_t> Vmcoreinfo::RequireLength(std::string_view name) const {
  return Require(Length(name), fmt::format("LENGTH({})", name));
}

Result<int64_t> Vmcoreinfo::RequireNumber(std::string_view name) const {
  return Require(Number(name), fmt::format("NUMBER({})", name));
}

}  // namespace kdumpkit
