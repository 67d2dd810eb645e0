// SPDX-License-Identifier: GPL-2.0-or-later
#include "erase/script.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.h"
#include "base/nearest.h"
#include "erase/lexer.h"

namespace kdumpkit {
namespace {

constexpr int kMaxNesting = 8;
constexpr std::array<std::string_view, 8> kKeywords = {"erase", "size",   "nullify", "for",
                                                       "in",    "within", "endfor",  "via"};

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsName(std::string_view text) {
  return !text.empty() && !IsDigit(text[0]) &&
         std::all_of(text.begin(), text.end(), IsNameCharacter);
}

// "via" may be a name.
bool IsKeyword(std::string_view text) {
  return text != "via" && std::find(kKeywords.begin(), kKeywords.end(), text) != kKeywords.end();
}

std::vector<std::string> SplitNames(std::string_view text) {
  std::vector<std::string> names;
  for (;;) {
    size_t dot = std::min(text.find('.'), text.size());
    names.emplace_back(text.substr(0, dot));
    if (dot == text.size()) return names;
    text.remove_prefix(dot + 1);
  }
}

Result<std::vector<std::string>> ParseNames(const std::string& text) {
  if (IsKeyword(text)) return UsageError("'{}' is a word of the language, not a name", text);
  std::vector<std::string> names = SplitNames(text);
  for (const std::string& name : names)
    if (!IsName(name)) return UsageError("'{}' is not NAME or NAME.MEMBER.MEMBER", ShownWord(text));
  return names;
}

Result<uint64_t> ParseBytes(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  unsigned shift = unit == "K" ? 10 : unit == "M" ? 20 : 0;
  bool good = error == std::errc() && (unit.empty() || shift != 0) && value > 0 &&
              value <= kMaxEraseBytes >> shift;
  if (!good)
    return UsageError("'{}' is not a size from 1 to 1024M, as in 100, 4K or 2M", ShownWord(text));
  return value << shift;
}

class Parser {
 public:
  explicit Parser(std::vector<ScriptWord> words) : words_(std::move(words)) {}

  EraseScript Parse() {
    ReadStatements(script_.statements);
    return std::move(script_);
  }

 private:
  bool AtEnd() const { return at_ >= words_.size(); }
  bool Is(std::string_view text) const {
    return !AtEnd() && words_[at_].kind == ScriptWord::Kind::kWord && words_[at_].cast.empty() &&
           words_[at_].text == text;
  }
  bool Take(std::string_view text) {
    if (!Is(text)) return false;
    ++at_;
    return true;
  }
  // Of the next word; behind the last one at the end.
  ScriptPlace Here() const {
    if (!AtEnd()) return words_[at_].place;
    if (words_.empty()) return {1, 1};
    const ScriptWord& last = words_.back();
    return {last.place.line, last.place.column + static_cast<int>(last.text.size())};
  }
  void Complain(ScriptPlace place, std::string text) {
    script_.problems.push_back({place, std::move(text)});
  }

  void ReadStatements(std::vector<EraseStatement>& statements) {
    while (!AtEnd()) {
      if (depth_ > 0 && Is("endfor")) return;
      ScriptPlace place = Here();
      size_t before = at_;
      Status read = ReadStatement(statements);
      if (!read) {
        // The place of the word that is wrong, which is not taken yet.
        Complain(at_ > before ? Here() : place, read.error().message());
        Recover(before);
      }
    }
  }

  // To the next word with which something begins.
  void Recover(size_t before) {
    if (at_ == before) ++at_;
    while (!AtEnd() && words_[at_].kind != ScriptWord::Kind::kSection && !Is("erase") &&
           !Is("for") && !Is("endfor"))
      ++at_;
  }

  Status ReadStatement(std::vector<EraseStatement>& statements) {
    const ScriptWord& word = words_[at_];
    if (word.kind == ScriptWord::Kind::kBroken) return UsageError("{}", word.text);
    if (word.kind == ScriptWord::Kind::kSection) return ReadSection(word);
    ScriptPlace place = word.place;
    if (Take("erase")) {
      EraseCommand command = TRY(ReadErase(place));
      statements.push_back({place, module_, std::move(command)});
      return {};
    }
    if (Take("for")) return ReadFor(place, statements);
    if (Is("endfor")) return UsageError("'endfor' without a 'for'");
    return NotACommand(word);
  }

  Status NotACommand(const ScriptWord& word) {
    constexpr std::array<std::string_view, 6> kBegin = {"erase", "for",     "endfor",
                                                        "size",  "nullify", "within"};
    std::string_view nearest = Nearest(word.text, kBegin);
    if (nearest.empty() || nearest == word.text)
      return UsageError("'{}': 'erase', 'for' or [MODULE] is expected", ShownWord(word.text));
    return UsageError("'{}': did you mean '{}'?", ShownWord(word.text), nearest);
  }

  Status ReadSection(const ScriptWord& word) {
    if (depth_ > 0) return UsageError("a section inside of 'for'; 'endfor' is missing");
    if (!std::all_of(word.text.begin(), word.text.end(),
                     [](char c) { return IsNameCharacter(c) || c == '-'; }))
      return UsageError("'{}' is not the name of a module", ShownWord(word.text));
    // The kernel takes '-' for '_' in the names of modules.
    module_ = word.text;
    std::replace(module_.begin(), module_.end(), '-', '_');
    ++at_;
    return {};
  }

  // A word that is no keyword; `what` says what it should have been.
  Result<const ScriptWord*> Word(std::string_view what) {
    if (AtEnd()) return UsageError("{} is missing at the end of the file", what);
    const ScriptWord& word = words_[at_];
    if (word.kind == ScriptWord::Kind::kBroken) return UsageError("{}", word.text);
    if (word.kind == ScriptWord::Kind::kSection)
      return UsageError("{} is missing before [{}]", what, ShownWord(word.text));
    if (word.cast.empty() && IsKeyword(word.text))
      return UsageError("{} is missing before '{}'", what, word.text);
    return &word;
  }

  Result<EraseExpression> Expression(std::string_view what) {
    const ScriptWord& word = *TRY(Word(what));
    EraseExpression expression;
    expression.place = word.place;
    expression.names = TRY(ParseNames(word.text));
    expression.cast = word.cast;
    ++at_;
    return expression;
  }

  bool IsVariable(std::string_view name) const {
    return std::find(variables_.begin(), variables_.end(), name) != variables_.end();
  }

  Result<EraseCommand> ReadErase(ScriptPlace place) {
    EraseCommand command;
    command.place = place;
    size_t begin = at_;
    command.target = TRY(Expression("what to erase"));
    if (depth_ > 0 && !IsVariable(command.target.names[0])) {
      at_ = begin;
      return UsageError("in a loop, what is erased begins with its variable '{}'",
                        variables_.back());
    }
    if (Take("nullify")) {
      command.nullify = true;
    } else if (Take("size")) {
      TRY(ReadSize(command));
    }
    command.number = script_.command_count++;
    return command;
  }

  Status ReadSize(EraseCommand& command) {
    const ScriptWord& word = *TRY(Word("a size"));
    if (word.cast.empty() && !word.text.empty() && (IsDigit(word.text[0]) || word.text[0] == '-')) {
      command.bytes = TRY(ParseBytes(word.text));
      ++at_;
    } else {
      command.size_from = TRY(Expression("a size"));
    }
    return {};
  }

  Status ReadFor(ScriptPlace place, std::vector<EraseStatement>& statements) {
    auto loop = std::make_unique<EraseLoop>();
    Status head = ReadHead(*loop);
    if (!head) Complain(Here(), head.error().message());
    // The body of a loop that is not understood is read for its end, and its own mistakes.
    if (!head) SkipToBody();
    if (depth_ >= kMaxNesting) return UsageError("more than {} loops in each other", kMaxNesting);
    variables_.push_back(loop->variable);
    ++depth_;
    ReadStatements(loop->body);
    --depth_;
    variables_.pop_back();
    if (!Take("endfor")) {
      Complain(place, "this 'for' has no 'endfor'");
      return {};
    }
    if (head) statements.push_back({place, module_, std::move(loop)});
    return {};
  }

  void SkipToBody() {
    while (!AtEnd() && words_[at_].kind == ScriptWord::Kind::kWord && !Is("erase") && !Is("for") &&
           !Is("endfor"))
      ++at_;
  }

  Status ReadHead(EraseLoop& loop) {
    const ScriptWord& variable = *TRY(Word("the variable of the loop"));
    if (!variable.cast.empty() || !IsName(variable.text))
      return UsageError("'{}' is not a name for a variable", ShownWord(variable.text));
    if (IsVariable(variable.text))
      return UsageError("'{}' is the variable of the outer loop already", variable.text);
    loop.variable = variable.text;
    ++at_;
    if (!Take("in")) return UsageError("'in' is expected after 'for {}'", loop.variable);
    loop.source = TRY(Expression("what to go through"));
    if (Take("via")) return ReadVia(loop);
    if (Take("within")) return ReadWithin(loop);
    return {};
  }

  Status ReadVia(EraseLoop& loop) {
    const ScriptWord& word = *TRY(Word("the member that leads to the next"));
    loop.walk = EraseLoop::Walk::kVia;
    loop.next = TRY(ParseNames(word.text));
    ++at_;
    return {};
  }

  // STRUCT:MEMBER; the member is "list" when it is not given.
  Status ReadWithin(EraseLoop& loop) {
    const ScriptWord& word = *TRY(Word("STRUCT:MEMBER"));
    loop.walk = EraseLoop::Walk::kWithin;
    size_t colon = std::min(word.text.find(':'), word.text.size());
    loop.container = word.text.substr(0, colon);
    if (!IsName(loop.container))
      return UsageError("'{}' is not STRUCT:MEMBER, as in task_struct:tasks", ShownWord(word.text));
    std::string member = colon < word.text.size() ? word.text.substr(colon + 1) : "list";
    loop.link = TRY(ParseNames(member));
    ++at_;
    return {};
  }

  std::vector<ScriptWord> words_;
  size_t at_ = 0;
  int depth_ = 0;
  std::string module_ = "vmlinux";
  std::vector<std::string> variables_;
  EraseScript script_;
};

}  // namespace

std::string EraseExpression::Text() const { return fmt::format("{}", fmt::join(names, ".")); }

EraseScript ParseEraseScript(std::string_view text) {
  if (text.size() > kMaxScriptBytes) {
    EraseScript script;
    script.problems.push_back({{1, 1}, "the file is larger than 1 MiB"});
    return script;
  }
  return Parser(SplitScript(text)).Parse();
}

}  // namespace kdumpkit
