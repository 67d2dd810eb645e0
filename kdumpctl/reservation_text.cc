// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/reservation_text.h"

#include <fmt/format.h>

#include <functional>

namespace kdumpkit {
namespace {

constexpr std::string_view kName = "crashkernel=";
constexpr std::string_view kBlanks = " \t\r\n";

bool IsBlank(char c) { return kBlanks.find(c) != std::string_view::npos; }

// A stretch of blanks, or of anything else.
struct Piece {
  std::string text;
  bool blank = false;
};

std::vector<Piece> Pieces(std::string_view text) {
  std::vector<Piece> pieces;
  bool quoted = false;
  for (char c : text) {
    bool blank = !quoted && IsBlank(c);
    if (pieces.empty() || pieces.back().blank != blank) pieces.push_back({"", blank});
    pieces.back().text += c;
    if (c == '"') quoted = !quoted;
  }
  return pieces;
}

bool IsReservation(const Piece& piece) { return piece.text.starts_with(kName); }

std::string Spelled(const Reservation& values) {
  std::string text;
  for (const std::string& value : values)
    text += fmt::format("{}{}{}", text.empty() ? "" : " ", kName, value);
  return text;
}

void Add(Reservation& all, Reservation more) {
  for (std::string& value : more) all.push_back(std::move(value));
}

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;  // with their ends
  while (!text.empty()) {
    size_t end = text.find('\n');
    size_t size = end == std::string_view::npos ? text.size() : end + 1;
    lines.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

std::string Concatenate(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

// The part of a line that is a command line; no part: npos.
struct Part {
  size_t begin = std::string::npos;
  size_t size = 0;
};
using PartOf = std::function<Part(const std::string& line)>;

bool Exists(const Part& part) { return part.begin != std::string::npos; }

Reservation FindInLines(std::string_view text, const PartOf& part_of) {
  Reservation found;
  for (const std::string& line : SplitLines(text)) {
    Part part = part_of(line);
    if (Exists(part)) Add(found, FindReservation(line.substr(part.begin, part.size)));
  }
  return found;
}

// Sets the values in the first line that has some, else in the first that could; takes them from
// all others. False: there is no line for them.
bool SetInLines(std::vector<std::string>& lines, const PartOf& part_of, const Reservation& values) {
  std::vector<std::pair<std::string*, Part>> places;
  size_t chosen = 0;
  bool has_some = false;
  for (std::string& line : lines) {
    Part part = part_of(line);
    if (!Exists(part)) continue;
    bool some = !FindReservation(line.substr(part.begin, part.size)).empty();
    if (some && !has_some) chosen = places.size();
    has_some |= some;
    places.emplace_back(&line, part);
  }
  for (size_t i = 0; i < places.size(); ++i) {
    auto [line, part] = places[i];
    std::string old = line->substr(part.begin, part.size);
    line->replace(part.begin, part.size, SetReservation(old, i == chosen ? values : Reservation()));
  }
  return !places.empty();
}

std::string TrimmedEnd(std::string_view text) {
  size_t end = text.find_last_not_of(kBlanks);
  return std::string(text.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

void EndLastLine(std::vector<std::string>& lines) {
  if (!lines.empty() && !lines.back().ends_with('\n')) lines.back() += '\n';
}

Part CmdlinePart(const std::string& line) {
  size_t size = TrimmedEnd(line).size();
  if (size == 0 || line.find_first_not_of(kBlanks) == line.find('#')) return {};
  return {0, size};
}

// What follows a key and blanks in an entry.
Part ValuePart(const std::string& line, std::string_view key) {
  if (!line.starts_with(key) || line.size() == key.size() || !IsBlank(line[key.size()])) return {};
  size_t begin = line.find_first_not_of(" \t", key.size());
  size_t end = TrimmedEnd(line).size();
  if (begin == std::string::npos || begin >= end) return {};
  return {begin, end - begin};
}

Part OptionsPart(const std::string& line) { return ValuePart(line, "options"); }

// What is inside of the quotes of NAME="...", which ends in the same line.
Part AssignedPart(const std::string& line) {
  size_t name = line.find_first_not_of(" \t");
  for (std::string_view start : {"GRUB_CMDLINE_LINUX=", "GRUB_CMDLINE_LINUX_DEFAULT="}) {
    if (name == std::string::npos || line.compare(name, start.size(), start) != 0) continue;
    size_t begin = name + start.size();
    char quote = begin < line.size() ? line[begin] : '\0';
    if (quote != '"' && quote != '\'') return {};
    size_t end = begin + 1;
    while (end < line.size() && line[end] != quote)
      end += quote == '"' && line[end] == '\\' ? size_t{2} : size_t{1};
    if (end >= line.size()) return {};
    return {begin + 1, end - begin - 1};
  }
  return {};
}

}  // namespace

Reservation FindReservation(std::string_view command_line) {
  Reservation values;
  for (const Piece& piece : Pieces(command_line))
    if (IsReservation(piece)) values.push_back(piece.text.substr(kName.size()));
  return values;
}

std::string SetReservation(std::string_view command_line, const Reservation& values) {
  std::vector<Piece> kept;
  bool done = values.empty();
  for (const Piece& piece : Pieces(command_line)) {
    if (IsReservation(piece) && !done) {
      kept.push_back({Spelled(values), false});
      done = true;
    } else if (IsReservation(piece)) {
      if (!kept.empty() && kept.back().blank) kept.pop_back();
    } else if (!piece.blank || kept.empty() || !kept.back().blank) {
      kept.push_back(piece);
    }
  }
  std::string text;
  for (const Piece& piece : kept) text += piece.text;
  if (done) return text;
  bool apart = text.empty() || IsBlank(text.back());
  return fmt::format("{}{}{}", text, apart ? "" : " ", Spelled(values));
}

Reservation FindInCmdlineFile(std::string_view text) { return FindInLines(text, CmdlinePart); }

std::string SetInCmdlineFile(std::string_view text, const Reservation& values) {
  std::vector<std::string> lines = SplitLines(text);
  if (!SetInLines(lines, CmdlinePart, values) && !values.empty()) {
    EndLastLine(lines);
    lines.push_back(Spelled(values) + "\n");
  }
  return Concatenate(lines);
}

Reservation FindInEntry(std::string_view text) { return FindInLines(text, OptionsPart); }

std::string SetInEntry(std::string_view text, const Reservation& values) {
  std::vector<std::string> lines = SplitLines(text);
  if (!SetInLines(lines, OptionsPart, values) && !values.empty()) {
    EndLastLine(lines);
    lines.push_back(fmt::format("options {}\n", Spelled(values)));
  }
  return Concatenate(lines);
}

std::string EntryValue(std::string_view text, std::string_view key) {
  for (const std::string& line : SplitLines(text))
    if (Part part = ValuePart(line, key); Exists(part)) return line.substr(part.begin, part.size);
  return "";
}

Reservation FindInGrubDefaults(std::string_view text) { return FindInLines(text, AssignedPart); }

std::string SetInGrubDefaults(std::string_view text, const Reservation& values) {
  std::vector<std::string> lines = SplitLines(text);
  // The former is for all entries; it may stand below the other.
  bool has_some = !FindInGrubDefaults(text).empty();
  PartOf part_of = [has_some](const std::string& line) {
    bool common = line.find("GRUB_CMDLINE_LINUX=") != std::string::npos;
    return has_some || common ? AssignedPart(line) : Part();
  };
  if (!SetInLines(lines, part_of, values) && !values.empty()) {
    EndLastLine(lines);
    lines.push_back(
        fmt::format("GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX {}\"\n", Spelled(values)));
  }
  return Concatenate(lines);
}

std::string GrubDropIn(const Reservation& values) {
  return fmt::format(
      "# Written by 'kdumpctl reset-crashkernel'. Of several crashkernel= the last one counts.\n"
      "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT {}\"\n",
      Spelled(values));
}

}  // namespace kdumpkit
