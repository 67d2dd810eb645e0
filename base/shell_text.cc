// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/shell_text.h"

namespace kdumpkit {
namespace {

std::string Quoted(std::string_view text, std::string_view quote) {
  std::string quoted;
  for (char c : text) quoted += c == '\'' ? std::string(quote) : std::string(1, c);
  return "'" + quoted + "'";
}

}  // namespace

std::string QuotedPosix(std::string_view text) { return Quoted(text, "'\\''"); }
std::string QuotedFish(std::string_view text) { return Quoted(text, "\\'"); }

std::string ZshText(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    if (c == '[' || c == ']' || c == ':') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace kdumpkit
