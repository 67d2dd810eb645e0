// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/collector.h"

#include <algorithm>
#include <string_view>

#include "config/problem.h"
#include "config/value_text.h"

namespace kdumpkit {
namespace {

constexpr unsigned kMaxLevel = 31;
constexpr unsigned kMaxMessageLevel = 31;
constexpr unsigned kMaxThreads = 1024;
constexpr unsigned kDebugMessages = 8;
constexpr unsigned kUsualMessages = 7;

std::string_view BaseName(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

Result<unsigned> OptionNumber(std::string_view option, std::string_view text, unsigned high) {
  Result<unsigned> number = ParseCount(text, 0, high);
  if (!number) return UsageError("'{} {}': {}", option, Shown(text), number.error().message());
  return *number;
}

// Goes through the words of a command. understood() is false once something was there that the
// settings cannot hold.
class CommandReader {
 public:
  explicit CommandReader(const std::vector<std::string>& words) : words_(words) {}

  bool understood() const { return understood_; }
  const CollectorSettings& settings() const { return settings_; }

  Status Read() {
    while (understood_ && ++at_ < words_.size()) {
      std::string_view word = words_[at_];
      if (word.starts_with("--")) {
        TRY(ReadLong(word.substr(2)));
      } else if (word.starts_with('-') && word.size() > 1) {
        TRY(ReadCluster(word.substr(1)));
      } else {
        understood_ = false;
      }
    }
    return {};
  }

 private:
  // The argument: what is left of the word, else the next word.
  Result<std::string_view> Argument(std::string_view option, std::string_view rest) {
    if (!rest.empty()) return rest;
    if (at_ + 1 >= words_.size()) return UsageError("'{}' has no argument", option);
    return std::string_view(words_[++at_]);
  }

  Status ReadLong(std::string_view option) {
    size_t equals = std::min(option.find('='), option.size());
    std::string_view name = option.substr(0, equals);
    std::string_view rest = option.substr(std::min(equals + 1, option.size()));
    if (name == "num-threads") {
      std::string_view text = TRY(Argument("--num-threads", rest));
      // 0 means no thread besides the first one.
      settings_.threads = std::max(1u, TRY(OptionNumber("--num-threads", text, kMaxThreads)));
    } else if (name == "message-level") {
      std::string_view text = TRY(Argument("--message-level", rest));
      settings_.message_level = TRY(OptionNumber("--message-level", text, kMaxMessageLevel));
    } else {
      understood_ = false;
    }
    return {};
  }

  Status ReadLevel(std::string_view rest) {
    std::string_view text = TRY(Argument("-d", rest));
    // A list of levels to try in turn is left to the program.
    if (text.find(',') != std::string_view::npos) {
      understood_ = false;
      return {};
    }
    settings_.level = TRY(OptionNumber("-d", text, kMaxLevel));
    return {};
  }

  // "-ld31" is "-l -d 31".
  Status ReadCluster(std::string_view letters) {
    for (size_t i = 0; i < letters.size(); ++i) {
      if (letters[i] == 'd') return ReadLevel(letters.substr(i + 1));
      ReadLetter(letters[i]);
    }
    return {};
  }

  void ReadLetter(char letter) {
    switch (letter) {
      case 'c':
        settings_.compression = DumpCompression::kZlib;
        break;
      case 'l':
        settings_.compression = DumpCompression::kLzo;
        break;
      case 'p':
        settings_.compression = DumpCompression::kSnappy;
        break;
      case 'z':
        settings_.compression = DumpCompression::kZstd;
        break;
      case 'F':
        settings_.flattened = true;
        break;
      case 'f':  // overwriting: each dump has a new folder
        break;
      case 'D':
        settings_.message_level = settings_.message_level.value_or(kUsualMessages) | kDebugMessages;
        break;
      default:
        understood_ = false;
    }
  }

  const std::vector<std::string>& words_;
  size_t at_ = 0;
  bool understood_ = true;
  CollectorSettings settings_;
};

}  // namespace

Result<std::optional<CollectorSettings>> TakeApartCollector(const std::vector<std::string>& words) {
  if (words.empty()) return UsageError("the command is missing");
  std::string_view program = BaseName(words[0]);
  if (program != "makedumpfile" && program != "kdump-filter") return std::nullopt;
  CommandReader reader(words);
  TRY(reader.Read());
  if (!reader.understood()) return std::nullopt;
  return reader.settings();
}

}  // namespace kdumpkit
