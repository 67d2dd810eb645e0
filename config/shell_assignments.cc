// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/shell_assignments.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/error.h"

namespace kdumpkit {
namespace {

constexpr std::string_view kByHand = "look up the value and write the setting by hand";

bool IsNameStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool IsNameCharacter(char c) { return IsNameStart(c) || (c >= '0' && c <= '9'); }
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

class ShellReader {
 public:
  ShellReader(const std::string& file, std::string_view text) : file_(file), text_(text) {}

  ShellFile Read() {
    while (!AtEnd()) ReadCommand();
    return std::move(out_);
  }

 private:
  bool AtEnd() const { return at_ >= text_.size(); }
  char Peek() const { return AtEnd() ? '\n' : text_[at_]; }
  char Next() {
    char c = text_[at_++];
    if (c == '\n') ++line_;
    return c;
  }

  void Refuse(unsigned line, std::string message, std::string_view suggestion = kByHand) {
    out_.problems.push_back(
        {Severity::kError, {file_, line}, std::move(message), std::string(suggestion)});
  }

  void SkipBlanks() {
    while (!AtEnd() && IsBlank(text_[at_])) Next();
  }
  void SkipLine() {
    while (!AtEnd() && Next() != '\n') {
    }
  }

  // One line, or a part of it up to ';'.
  void ReadCommand() {
    SkipBlanks();
    if (AtEnd()) return;
    if (Peek() == '\n' || Peek() == ';') {
      Next();
    } else if (Peek() == '#') {
      SkipLine();
    } else {
      ReadWords();
    }
  }

  // Assignments side by side. They count only if no command follows them.
  void ReadWords() {
    size_t begin = at_;
    unsigned line = line_;
    std::vector<ShellAssignment> assignments;
    while (Peek() != '\n' && Peek() != ';' && Peek() != '#') {
      Status read = ReadWord(assignments);
      if (!read) return RefuseCommand(begin, line, read.error().message());
      SkipBlanks();
    }
    for (ShellAssignment& assignment : assignments) Take(std::move(assignment));
  }

  void Take(ShellAssignment assignment) {
    if (depth_ == 0) return out_.assignments.push_back(std::move(assignment));
    Refuse(assignment.line,
           fmt::format("'{}' depends on a condition, which only a shell can decide",
                       Shown(assignment.name)));
  }

  void RefuseCommand(size_t begin, unsigned line, const std::string& reason) {
    std::string_view shown = text_.substr(begin, text_.find('\n', begin) - begin);
    // Inside of a condition its lines have been refused as a whole.
    if (depth_ == 0) Refuse(line, fmt::format("'{}': {}", Shown(shown), reason));
    at_ = begin;
    line_ = line;
    SkipCommand();
  }

  // The quote that is open ('\0': none) behind a quote character.
  static char QuoteBehind(char quote, char c) {
    if (quote == '\0') return c;
    return quote == c ? '\0' : quote;
  }

  // Goes behind the end of a line that is no assignment; quotes may hold ends of lines.
  void SkipCommand() {
    std::string word;
    char quote = '\0';
    while (!AtEnd()) {
      if (quote == '\0' && text_.substr(at_).starts_with("<<")) return StopReading();
      if (quote == '\0' && word.empty() && Peek() == '#') {
        while (Peek() != '\n') Next();
        if (AtEnd()) return;
      }
      char c = Next();
      if (c == '\\' && quote != '\'') {
        if (!AtEnd()) Next();
      } else if (c == '"' || c == '\'') {
        quote = QuoteBehind(quote, c);
      } else if (quote == '\0' && (IsBlank(c) || c == '\n' || c == ';')) {
        CountKeyword(std::exchange(word, {}));
        if (c == '\n') return;
      }
      if (!IsBlank(c) && c != ';') word += c;
    }
    if (quote != '\0') Refuse(line_, "a quote is not closed, the rest of the file is not read");
    CountKeyword(word);
  }

  // What opens and closes a part of the file that may not be run.
  void CountKeyword(const std::string& word) {
    for (std::string_view open : {"if", "for", "while", "until", "case", "select", "{"})
      if (word == open) ++depth_;
    for (std::string_view close : {"fi", "done", "esac", "}"})
      if (word == close && depth_ > 0) --depth_;
  }

  void StopReading() {
    Refuse(line_, "a here-document begins here, the rest of the file is not read");
    at_ = text_.size();
  }

  Status ReadWord(std::vector<ShellAssignment>& assignments) {
    ShellAssignment assignment;
    assignment.line = line_;
    size_t begin = at_;
    while (!AtEnd() && IsNameCharacter(text_[at_])) Next();
    assignment.name = text_.substr(begin, at_ - begin);
    bool named = !assignment.name.empty() && IsNameStart(assignment.name[0]);
    if (named && assignment.name == "export" && IsBlank(Peek())) return {};
    if (!named || Peek() != '=')
      return UsageError("this is a command of the shell, not an assignment");
    Next();
    assignment.value = TRY(ReadValue());
    assignments.push_back(std::move(assignment));
    return {};
  }

  Result<std::string> ReadValue() {
    std::string value;
    if (Peek() == '~') return UsageError("only a shell knows what '~' stands for");
    while (!AtEnd()) {
      char c = text_[at_];
      if (c == '\n' || c == ';' || IsBlank(c)) break;
      if (c == '\'') {
        value += TRY(ReadSingleQuoted());
      } else if (c == '"') {
        value += TRY(ReadDoubleQuoted());
      } else if (c == '\\') {
        ReadEscape(value);
      } else {
        TRY(CheckPlain(c));
        value += Next();
      }
    }
    return value;
  }

  // An unquoted character of a value.
  Status CheckPlain(char c) {
    if (c == '$' || c == '`') return CheckDollar(c);
    constexpr std::string_view kOperators = "&|<>()";
    if (kOperators.find(c) != std::string_view::npos)
      return UsageError("'{}' is an operator of the shell", c);
    return {};
  }

  // '$' and '`' have a meaning in front of nearly everything; nothing of it is data.
  Status CheckDollar(char c) {
    bool command = c == '`' || text_.substr(at_).starts_with("$(");
    if (command) return UsageError("a command would have to be run, and none is");
    std::string_view next = text_.substr(std::min(at_ + 1, text_.size()), 1);
    bool expands =
        !next.empty() && (IsNameCharacter(next[0]) ||
                          std::string_view("{*@#?-$!'\"").find(next[0]) != std::string_view::npos);
    if (expands) return UsageError("only a shell knows what the '$' stands for");
    return {};
  }

  // Outside of quotes: the next character as it is; an escaped line end is nothing.
  void ReadEscape(std::string& value) {
    Next();
    if (AtEnd()) return;
    char c = Next();
    if (c != '\n') value += c;
  }

  Result<std::string> ReadSingleQuoted() {
    std::string value;
    Next();
    while (!AtEnd()) {
      char c = Next();
      if (c == '\'') return value;
      value += c;
    }
    return UsageError("a ' is not closed");
  }

  Result<std::string> ReadDoubleQuoted() {
    std::string value;
    Next();
    while (!AtEnd()) {
      char c = text_[at_];
      if (c == '$' || c == '`') {
        // A '$' right before the closing quote is an ordinary character.
        bool last = c == '$' && text_.substr(at_).starts_with("$\"");
        if (!last) TRY(CheckDollar(c));
      }
      Next();
      if (c == '"') return value;
      if (c == '\\') {
        ReadQuotedEscape(value);
      } else {
        value += c;
      }
    }
    return UsageError("a \" is not closed");
  }

  // In double quotes a backslash counts before these only.
  void ReadQuotedEscape(std::string& value) {
    constexpr std::string_view kEscaped = "$`\"\\";
    if (AtEnd()) return;
    if (Peek() == '\n') {
      Next();
    } else if (kEscaped.find(Peek()) != std::string_view::npos) {
      value += Next();
    } else {
      value += '\\';
    }
  }

  const std::string& file_;
  std::string_view text_;
  size_t at_ = 0;
  unsigned line_ = 1;
  unsigned depth_ = 0;  // of conditions and loops around this place
  ShellFile out_;
};

}  // namespace

ShellFile ReadShellAssignments(const std::string& file, std::string_view text) {
  return ShellReader(file, text).Read();
}

}  // namespace kdumpkit
