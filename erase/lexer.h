// SPDX-License-Identifier: GPL-2.0-or-later
// The words of an erase script, with their places.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "erase/script.h"

namespace kdumpkit {

struct ScriptWord {
  enum class Kind {
    kWord,
    kSection,  // [NAME]
    kBroken,   // `text` says what is wrong
  };
  ScriptPlace place;
  Kind kind = Kind::kWord;
  std::string cast;  // what stands in parentheses before it
  std::string text;
};

// Words are separated by blanks, tabs and line ends; "#" begins a comment.
std::vector<ScriptWord> SplitScript(std::string_view text);

// As it may be shown in a message: cut, and without control characters.
std::string ShownWord(std::string_view text);

}  // namespace kdumpkit
