// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/statement.h"

#include <algorithm>

namespace kdumpkit {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool IsBlank(char c) { return c == ' ' || c == '\t'; }
bool IsQuote(char c) { return c == '"' || c == '\''; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

// Takes words off the front of a value.
class WordReader {
 public:
  explicit WordReader(std::string_view text) : text_(text) {}

  // Skips blanks; false at the end or at a comment.
  bool More() {
    while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
    return at_ < text_.size() && text_[at_] != '#';
  }
  size_t at() const { return at_; }

  Result<Word> Next() {
    Word word;
    size_t begin = at_;
    while (at_ < text_.size() && !IsBlank(text_[at_])) {
      char c = text_[at_];
      if (IsQuote(c) && (at_ == begin || text_[at_ - 1] == '=')) {
        TRY(ReadQuoted(word));
      } else if (c == '\\') {
        TRY(CheckBackslash());
        word.text += text_[at_++];
      } else {
        word.text += text_[at_++];
      }
    }
    word.is_string = word.quoted && text_[begin] == '"';
    return word;
  }

 private:
  Status ReadQuoted(Word& word) {
    char quote = text_[at_++];
    word.quoted = true;
    for (; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == quote) return EndQuote(quote);
      bool escape = c == '\\' && at_ + 1 < text_.size() &&
                    (IsQuote(text_[at_ + 1]) || text_[at_ + 1] == '\\');
      if (escape) ++at_;
      word.text += text_[at_];
    }
    return UsageError("a {} is not closed", quote);
  }

  // Text that touches a closing quote is a quote inside of quotes more often than not.
  Status EndQuote(char quote) {
    ++at_;
    if (at_ == text_.size() || IsBlank(text_[at_])) return {};
    return UsageError(
        "there is text right behind a closing {0}; write \\{0} for a quote inside "
        "of quotes, or put a blank between two words",
        quote);
  }

  Status CheckBackslash() const {
    if (at_ + 1 == text_.size())
      return UsageError("a line cannot go on in the next one: write it as one line");
    char next = text_[at_ + 1];
    if (IsBlank(next) || IsQuote(next))
      return UsageError("a backslash escapes nothing outside of quotes: put the word in quotes");
    return {};
  }

  std::string_view text_;
  size_t at_ = 0;
};

struct SplitValue {
  std::vector<Word> words;
  std::string_view value;  // of the text, as far as the words reach
};

Result<SplitValue> Split(std::string_view text) {
  SplitValue split;
  WordReader reader(text);
  size_t end = 0;
  while (reader.More()) {
    split.words.push_back(TRY(reader.Next()));
    end = reader.at();
  }
  split.value = Trim(text.substr(0, end));
  return split;
}

void WarnOfHash(const Origin& at, const Statement& statement, std::vector<Problem>& problems) {
  for (const Word& word : statement.words) {
    if (word.quoted || word.text.find('#') == std::string::npos) continue;
    problems.push_back({Severity::kWarning, at,
                        fmt::format("the '#' in '{}' is part of the value", Shown(word.text)),
                        "put a blank before it to begin a comment, or the value in quotes"});
  }
}

void WarnOfQuote(const Origin& at, const Statement& statement, std::vector<Problem>& problems) {
  for (const Word& word : statement.words) {
    if (word.quoted || word.text.find_first_of("\"'") == std::string::npos) continue;
    problems.push_back({Severity::kWarning, at,
                        fmt::format("the quote in '{}' is part of the value", Shown(word.text)),
                        "quotes that hold a word together begin where the word begins"});
  }
}

void ReadLine(const Origin& at, std::string_view line, StatementList& list) {
  line = Trim(line);
  if (line.empty() || line.front() == '#') return;
  if (HasControlCharacters(line)) {
    list.problems.push_back({Severity::kError, at,
                             fmt::format("'{}' has control characters", Shown(line)),
                             "write the line anew"});
    return;
  }
  size_t name_end = std::min(line.find_first_of(" \t"), line.size());
  Result<SplitValue> split = Split(line.substr(name_end));
  if (!split) {
    list.problems.push_back(
        {Severity::kError, at, fmt::format("'{}': {}", Shown(line), split.error().message()), ""});
    return;
  }
  Statement statement{at.line, std::string(line.substr(0, name_end)), std::string(split->value),
                      std::move(split->words)};
  WarnOfHash(at, statement, list.problems);
  WarnOfQuote(at, statement, list.problems);
  list.statements.push_back(std::move(statement));
}

bool NeedsQuotes(std::string_view text) {
  return text.empty() || text.find_first_of(" \t\"'\\#") != std::string_view::npos;
}

std::string Quote(std::string_view text, char quote) {
  CHECK(!HasControlCharacters(text));
  if (!NeedsQuotes(text)) return std::string(text);
  std::string quoted(1, quote);
  for (char c : text) {
    if (c == quote || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + quote;
}

}  // namespace

bool HasControlCharacters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

StatementList ReadStatements(const std::string& file, std::string_view text) {
  StatementList list;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  for (unsigned number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);  // a line end of Windows
    ReadLine({file, number}, line, list);
  }
  return list;
}

Result<std::vector<Word>> SplitWords(std::string_view text) { return TRY(Split(text)).words; }

Result<std::string> OneText(const Statement& statement) {
  if (statement.words.size() == 1) return statement.words[0].text;
  for (const Word& word : statement.words)
    if (word.quoted) return UsageError("one value is wanted: put it in quotes as a whole");
  return statement.value;
}

Result<std::vector<std::string>> WordList(const Statement& statement) {
  std::vector<Word> words = statement.words;
  if (words.size() == 1 && words[0].is_string) words = TRY(SplitWords(words[0].text));
  std::vector<std::string> texts;
  for (Word& word : words) texts.push_back(std::move(word.text));
  return texts;
}

std::string QuoteText(std::string_view text) { return Quote(text, '"'); }
std::string QuoteWord(std::string_view text) { return Quote(text, '\''); }

std::string JoinWords(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) {
    if (!joined.empty()) joined += ' ';
    joined += QuoteWord(word);
  }
  return joined;
}

}  // namespace kdumpkit
