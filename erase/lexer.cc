// SPDX-License-Identifier: GPL-2.0-or-later
#include "erase/lexer.h"

#include <algorithm>

namespace kdumpkit {
namespace {

constexpr std::string_view kBlanks = " \t\r\f\v";
constexpr size_t kMaxShown = 60;

// Goes through the words of one line.
class LineSplitter {
 public:
  LineSplitter(std::string_view line, int number) : line_(line), number_(number) {}

  void SplitInto(std::vector<ScriptWord>& words) {
    while (SkipBlanks()) {
      ScriptWord word;
      word.place = {number_, static_cast<int>(at_) + 1};
      if (line_[at_] == '[') {
        TakeSection(word);
      } else {
        TakeWord(word);
      }
      words.push_back(std::move(word));
    }
  }

 private:
  // False at the end.
  bool SkipBlanks() {
    at_ = std::min(line_.find_first_not_of(kBlanks, at_), line_.size());
    return at_ < line_.size();
  }
  // Without the brackets; empty, with all taken, when there is no closing one.
  std::string_view Enclosed(char closing) {
    size_t end = line_.find(closing, at_);
    if (end == std::string_view::npos) {
      at_ = line_.size();
      return {};
    }
    std::string_view inside = line_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return inside;
  }
  void TakeSection(ScriptWord& word) {
    word.text = Enclosed(']');
    word.kind = ScriptWord::Kind::kSection;
    bool blank = word.text.find_first_of(kBlanks) != std::string::npos;
    if (!word.text.empty() && !blank) return;
    word.kind = ScriptWord::Kind::kBroken;
    word.text = "a section is the name of a module in brackets, as in [ext4]";
  }
  void TakeWord(ScriptWord& word) {
    if (line_[at_] == '(') {
      word.cast = Enclosed(')');
      if (word.cast.empty() || !SkipBlanks()) {
        word.kind = ScriptWord::Kind::kBroken;
        word.text = "'(' begins a type, as in (struct task_struct)init_task.comm";
        return;
      }
    }
    size_t end = std::min(line_.find_first_of(kBlanks, at_), line_.size());
    word.text = line_.substr(at_, end - at_);
    at_ = end;
  }

  std::string_view line_;
  int number_;
  size_t at_ = 0;
};

}  // namespace

std::vector<ScriptWord> SplitScript(std::string_view text) {
  std::vector<ScriptWord> words;
  for (int number = 1; !text.empty(); ++number) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = line.substr(0, line.find('#'));
    LineSplitter(line, number).SplitInto(words);
  }
  return words;
}

std::string ShownWord(std::string_view text) {
  std::string shown(text.substr(0, kMaxShown));
  for (char& c : shown)
    if (c < ' ' || c > '~') c = '?';
  return text.size() > kMaxShown ? shown + "..." : shown;
}

}  // namespace kdumpkit
