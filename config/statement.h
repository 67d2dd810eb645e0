// SPDX-License-Identifier: GPL-2.0-or-later
// The grammar of kdump.conf(5): one directive a line, words, quotes, comments. What directives
// there are is not known here.
//
// It reads Fedora's kdump.conf. Where the two grammars differ:
// - Fedora ends a value at the first '#', wherever it stands. Here a comment begins with a '#' at
//   the beginning of a word; one inside of quotes or of a word belongs to the value, the latter
//   with a warning.
// - Fedora takes a value's outer double quotes off and keeps every other quote. Here quotes work
//   wherever a word begins and behind a '='. A list that is one double-quoted string is a list of
//   the words in it, so that a quoted command line keeps its meaning.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/problem.h"

namespace kdumpkit {

struct Word {
  std::string text;        // without its quotes
  bool quoted = false;     // any part of it was
  bool is_string = false;  // it is one double-quoted string and nothing else
};

struct Statement {
  unsigned line = 0;
  std::string name;
  std::string value;  // as it stands in the file, without the comment and outer blanks
  std::vector<Word> words;
};

struct StatementList {
  std::vector<Statement> statements;
  std::vector<Problem> problems;  // lines with an error are not among the statements
};

// Any bytes have an answer. `file` is for messages.
StatementList ReadStatements(const std::string& file, std::string_view text);

// The value as one text: a single word, or unquoted words with the blanks between them as they
// stand (Fedora's meaning).
Result<std::string> OneText(const Statement& statement);
// The value as a list of words.
Result<std::vector<std::string>> WordList(const Statement& statement);

// Reads words as they stand in a value; a comment ends them.
Result<std::vector<Word>> SplitWords(std::string_view text);

// Puts `text` in double quotes if ReadStatements would not take it for one word otherwise. There
// must be no control characters in it.
std::string QuoteText(std::string_view text);
// The same with single quotes, which a list of one word needs.
std::string QuoteWord(std::string_view text);
std::string JoinWords(const std::vector<std::string>& words);

bool HasControlCharacters(std::string_view text);

}  // namespace kdumpkit
