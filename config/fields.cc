// SPDX-License-Identifier: GPL-2.0-or-later
// How the values of directives are read and written: one Set and one Show for each type of Field.
#include <algorithm>
#include <type_traits>

#include "base/nearest.h"
#include "config/directives.h"
#include "config/problem.h"
#include "config/value_text.h"

namespace kdumpkit {
namespace {

using Words = std::vector<std::string>;

constexpr uint64_t kMostBytes = uint64_t{1} << 50;

// The words of each enumeration, in the order of its values.
template <typename E>
constexpr std::span<const std::string_view> Names() {
  return {};
}
constexpr std::string_view kCompressions[] = {"none", "zlib", "lzo", "snappy", "zstd"};
constexpr std::string_view kHostTags[] = {"ip", "hostname"};
constexpr std::string_view kEndActions[] = {"reboot", "halt", "poweroff", "shell"};
constexpr std::string_view kFailureActions[] = {"reboot", "halt", "poweroff", "shell",
                                                "dump_to_rootfs"};
constexpr std::string_view kPreFailures[] = {"dump", "skip"};
constexpr std::string_view kBuilders[] = {"auto", "kdumpkit", "dracut", "initramfs-tools"};
template <>
constexpr std::span<const std::string_view> Names<DumpCompression>() {
  return kCompressions;
}
template <>
constexpr std::span<const std::string_view> Names<HostTag>() {
  return kHostTags;
}
template <>
constexpr std::span<const std::string_view> Names<EndAction>() {
  return kEndActions;
}
template <>
constexpr std::span<const std::string_view> Names<FailureAction>() {
  return kFailureActions;
}
template <>
constexpr std::span<const std::string_view> Names<PreFailure>() {
  return kPreFailures;
}
template <>
constexpr std::span<const std::string_view> Names<ImageBuilder>() {
  return kBuilders;
}

std::string Join(std::span<const std::string_view> words) {
  std::string joined;
  for (std::string_view word : words)
    joined += fmt::format("{}{}", joined.empty() ? "" : ", ", word);
  return joined;
}

Result<std::string> OneWord(const Statement& statement) {
  if (statement.words.size() == 1) return statement.words[0].text;
  return UsageError("one word is wanted");
}

Status CheckText(const Directive& directive, std::string_view text) {
  return directive.check == nullptr ? Status() : directive.check(text);
}

// Set: one overload a type of Field.
Status Set(bool& out, const Directive&, const Statement& statement) {
  out = TRY(ParseFlag(TRY(OneWord(statement))));
  return {};
}

Status Set(unsigned& out, const Directive& directive, const Statement& statement) {
  std::string word = TRY(OneWord(statement));
  bool zero = !directive.zero.empty() && (word == directive.zero || word == "0");
  if (zero) {
    out = 0;
    return {};
  }
  Result<unsigned> number = ParseCount(word, directive.low, directive.high);
  if (!number && !directive.zero.empty())
    return UsageError("{}, or '{}'", number.error().message(), directive.zero);
  out = TRY(std::move(number));
  return {};
}

Status Set(uint64_t& out, const Directive& directive, const Statement& statement) {
  std::string word = TRY(OneWord(statement));
  bool zero = !directive.zero.empty() && word == directive.zero;
  uint64_t bytes = zero ? 0 : TRY(ParseSize(word));
  if (bytes > kMostBytes) return UsageError("it must be at most {}", FormatSize(kMostBytes));
  out = bytes;
  return {};
}

Status Set(std::chrono::seconds& out, const Directive& directive, const Statement& statement) {
  std::string word = TRY(OneWord(statement));
  bool zero = !directive.zero.empty() && (word == directive.zero || word == "0");
  out = zero ? std::chrono::seconds(0)
             : TRY(ParseDuration(word, std::chrono::seconds(directive.low),
                                 std::chrono::seconds(directive.high)));
  return {};
}

Status Set(std::string& out, const Directive& directive, const Statement& statement) {
  std::string text = TRY(OneText(statement));
  if (!directive.zero.empty() && text == directive.zero) {
    out.clear();
    return {};
  }
  TRY(CheckText(directive, text));
  out = std::move(text);
  return {};
}

Status AddElement(Words& out, const Directive& directive, const Statement& statement) {
  std::string text = TRY(OneText(statement));
  if (!directive.zero.empty() && text == directive.zero) {
    if (out.empty()) return {};
    return UsageError("'{}' cannot stand beside other lines of it", directive.zero);
  }
  TRY(CheckText(directive, text));
  out.push_back(std::move(text));
  return {};
}

Status Set(Words& out, const Directive& directive, const Statement& statement) {
  if (directive.repeatable) return AddElement(out, directive, statement);
  Words words = TRY(WordList(statement));
  if (words.empty()) return UsageError("write '{}' for an empty list", directive.zero);
  if (words.size() == 1 && words[0] == directive.zero) words.clear();
  for (const std::string& word : words) {
    Status good = CheckText(directive, word);
    if (!good) return UsageError("'{}': {}", Shown(word), good.error().message());
  }
  out = std::move(words);
  return {};
}

template <typename E>
requires std::is_enum_v<E> Status Set(E& out, const Directive&, const Statement& statement) {
  std::string word = TRY(OneWord(statement));
  std::span<const std::string_view> names = Names<E>();
  auto found = std::find(names.begin(), names.end(), word);
  if (found != names.end()) {
    out = static_cast<E>(found - names.begin());
    return {};
  }
  std::string_view nearest = Nearest(word, names);
  if (nearest.empty()) return UsageError("allowed are {}", Join(names));
  return UsageError("did you mean '{}'? allowed are {}", nearest, Join(names));
}

// Show: the reverse of Set.
std::string OrZero(std::string text, bool is_zero, const Directive& directive) {
  return is_zero && !directive.zero.empty() ? std::string(directive.zero) : text;
}
std::string Show(bool value, const Directive&) { return FormatFlag(value); }
std::string Show(unsigned value, const Directive& directive) {
  return OrZero(fmt::format("{}", value), value == 0, directive);
}
std::string Show(uint64_t value, const Directive& directive) {
  return OrZero(FormatSize(value), value == 0, directive);
}
std::string Show(std::chrono::seconds value, const Directive& directive) {
  return OrZero(FormatDuration(value), value.count() == 0, directive);
}
std::string Show(const std::string& value, const Directive& directive) {
  return OrZero(QuoteText(value), value.empty(), directive);
}
std::string Show(const Words& value, const Directive& directive) {
  return OrZero(JoinWords(value), value.empty(), directive);
}
template <typename E>
requires std::is_enum_v<E> std::string Show(E value, const Directive&) {
  return std::string(Names<E>()[static_cast<size_t>(value)]);
}

std::vector<std::string> ElementTexts(const Words& elements, const Directive& directive) {
  std::vector<std::string> texts;
  for (const std::string& element : elements) texts.push_back(QuoteText(element));
  if (texts.empty() && !directive.zero.empty()) texts.emplace_back(directive.zero);
  return texts;
}

std::vector<std::string> DestinationTexts(const Config& config) {
  std::vector<std::string> texts;
  for (const Destination& destination : config.destinations) {
    std::string text;
    for (const std::string& word : DestinationWords(destination))
      text += (text.empty() ? "" : " ") + QuoteText(word);
    texts.push_back(std::move(text));
  }
  return texts;
}

std::vector<std::string> CollectorTexts(const Config& config) {
  if (config.collector.empty()) return {};
  return {JoinWords(config.collector)};
}

}  // namespace

Status SetField(const Directive& directive, const Statement& statement, Config& config) {
  return std::visit(
      [&](auto field) -> Status {
        if constexpr (std::is_same_v<decltype(field), std::monostate>) {
          CHECK(false);
        } else {
          return Set(config.*field, directive, statement);
        }
      },
      directive.field);
}

std::vector<std::string> FieldTexts(const Directive& directive, const Config& config) {
  if (directive.role == Role::kDestination) return DestinationTexts(config);
  if (directive.role == Role::kCollector) return CollectorTexts(config);
  return std::visit(
      [&](auto field) -> std::vector<std::string> {
        if constexpr (std::is_same_v<decltype(field), std::monostate>) {
          return {};
        } else if constexpr (std::is_same_v<decltype(field), Words Config::*>) {
          if (directive.repeatable) return ElementTexts(config.*field, directive);
          return {Show(config.*field, directive)};
        } else {
          return {Show(config.*field, directive)};
        }
      },
      directive.field);
}

std::span<const std::string_view> AllowedWords(const Directive& directive) {
  return std::visit(
      [](auto field) -> std::span<const std::string_view> {
        using F = decltype(field);
        if constexpr (std::is_same_v<F, std::monostate>) {
          return {};
        } else {
          using T = std::remove_reference_t<decltype(std::declval<Config&>().*field)>;
          return Names<T>();
        }
      },
      directive.field);
}

}  // namespace kdumpkit
