// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/import_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/nearest.h"
#include "config/directives.h"
#include "config/parse.h"
#include "config/statement.h"

namespace kdumpkit {
namespace {

std::string Described(const ShellAssignment& from) {
  if (HasPassword(from)) return fmt::format("{} (line {})", from.name, from.line);
  return fmt::format("{}={} (line {})", Shown(from.name), Shown(from.value), from.line);
}

// The first error in what is written so far.
std::optional<Problem> FindError(const std::string& text) {
  ConfigSource source{"the new file", text};
  for (Problem& problem : ParseConfig({&source, 1}).problems)
    if (problem.severity == Severity::kError) return std::move(problem);
  return std::nullopt;
}

void ApplyRule(ImportWriter& writer, const ImportRule& rule, const ShellAssignment& from) {
  switch (rule.as) {
    case ImportAs::kText:
      return writer.SetText(from, rule.text, from.value);
    case ImportAs::kWords:
      return writer.SetWords(from, rule.text, ImportedWords(writer, from));
    case ImportAs::kCommandLine:
      return SetCommandLine(writer, from, rule.text);
    case ImportAs::kNote:
      return writer.Note(from, rule.text);
    case ImportAs::kRule:
      return rule.apply(writer, from);
  }
}

// A mistyped name, or a file of another distribution.
void RefuseUnknown(ImportWriter& writer, std::span<const ImportRule> rules,
                   const ShellAssignment& from) {
  std::vector<std::string_view> names;
  for (const ImportRule& rule : rules) names.push_back(rule.variable);
  std::string_view nearest = Nearest(from.name, names);
  writer.Refuse(from, "it is no variable of this distribution",
                nearest.empty() ? std::string("is it the right file?")
                                : fmt::format("did you mean '{}'?", nearest));
}

}  // namespace

bool HasPassword(const ShellAssignment& assignment) {
  if (assignment.name.find("PASSWORD") != std::string::npos) return true;
  // A URI with "user:password@".
  size_t begin = assignment.value.find("://");
  size_t at = assignment.value.find('@');
  if (begin == std::string::npos || at == std::string::npos || at < begin + 3) return false;
  return assignment.value.substr(begin + 3, at - begin - 3).find(':') != std::string::npos;
}

ImportWriter::ImportWriter(const std::string& file, std::string_view text, std::string_view title)
    : file_(file), variables_(ReadShellAssignments(file, text)) {
  problems_ = std::move(variables_.problems);
  text_ = fmt::format("# {}\n# Made from '{}'; what has no equivalent stands as a comment.\n",
                      title, Shown(file));
  for (const Problem& problem : problems_) {
    text_ += fmt::format("\n# Line {} is not imported: {}.\n", problem.at.line, problem.message);
  }
}

const ShellAssignment* ImportWriter::Find(std::string_view name) const {
  const ShellAssignment* found = nullptr;
  for (const ShellAssignment& assignment : variables_.assignments)
    if (assignment.name == name) found = &assignment;
  return found == nullptr || found->value.empty() ? nullptr : found;
}

std::string ImportWriter::Value(std::string_view name, std::string_view fallback) const {
  const ShellAssignment* found = Find(name);
  return found == nullptr ? std::string(fallback) : found->value;
}

std::vector<const ShellAssignment*> ImportWriter::All() const {
  std::vector<const ShellAssignment*> all;
  for (const ShellAssignment& assignment : variables_.assignments)
    if (Find(assignment.name) == &assignment) all.push_back(&assignment);
  return all;
}

void ImportWriter::Set(const ShellAssignment& from, std::string_view directive,
                       const std::string& value) {
  std::string text = text_;
  if (last_ != &from) text += fmt::format("\n# {}\n", Described(from));
  text += fmt::format("{} {}\n", directive, value);
  std::optional<Problem> problem = FindError(text);
  if (problem) return Refuse(from, problem->message, problem->suggestion);
  text_ = std::move(text);
  last_ = &from;
}

void ImportWriter::SetText(const ShellAssignment& from, std::string_view directive,
                           std::string_view text) {
  if (HasControlCharacters(text))
    return Refuse(from, "it has control characters", "write the setting by hand");
  Set(from, directive, QuoteText(text));
}

void ImportWriter::SetWords(const ShellAssignment& from, std::string_view directive,
                            const std::vector<std::string>& words) {
  for (const std::string& word : words)
    if (HasControlCharacters(word))
      return Refuse(from, "it has control characters", "write the setting by hand");
  if (!words.empty()) Set(from, directive, JoinWords(words));
}

void ImportWriter::Note(const ShellAssignment& from, std::string_view note) {
  text_ += fmt::format("\n# {}: {}\n", Described(from), note);
  last_ = nullptr;
}

void ImportWriter::Refuse(const ShellAssignment& from, std::string_view reason,
                          std::string_view instead) {
  std::string name = Described(from);
  last_ = nullptr;
  text_ += fmt::format("\n# {}: not imported: {}; {}\n", name, reason, instead);
  problems_.push_back({Severity::kError,
                       {file_, from.line},
                       fmt::format("'{}' is not imported: {}", name, reason),
                       std::string(instead)});
}

Import ImportWriter::Finish() && { return {std::move(text_), std::move(problems_)}; }

Import ApplyRules(ImportWriter writer, std::span<const ImportRule> rules) {
  for (const ShellAssignment* assignment : writer.All()) {
    auto rule = std::find_if(rules.begin(), rules.end(), [assignment](const ImportRule& candidate) {
      return candidate.variable == assignment->name;
    });
    if (rule == rules.end()) {
      RefuseUnknown(writer, rules, *assignment);
    } else {
      ApplyRule(writer, *rule, *assignment);
    }
  }
  return std::move(writer).Finish();
}

std::vector<std::string> ImportedWords(ImportWriter& writer, const ShellAssignment& from) {
  std::string line = from.value;
  std::replace(line.begin(), line.end(), '\n', ' ');
  Result<std::vector<Word>> words = SplitWords(line);
  std::vector<std::string> texts;
  if (!words) {
    writer.Refuse(from, words.error().message(), "write the setting by hand");
    return texts;
  }
  for (Word& word : *words) texts.push_back(std::move(word.text));
  return texts;
}

std::optional<bool> ImportedFlag(std::string_view text) {
  for (std::string_view yes : {"yes", "1", "true"})
    if (text == yes) return true;
  for (std::string_view no : {"no", "0", "false"})
    if (text == no) return false;
  return std::nullopt;
}

void SetCommandLine(ImportWriter& writer, const ShellAssignment& from, std::string_view directive,
                    std::string_view dropped) {
  constexpr std::string_view kCpus = "nr_cpus=";
  std::vector<std::string> kept;
  for (const std::string& word : ImportedWords(writer, from)) {
    if (word == dropped) {
      writer.Note(from, fmt::format("'{}' is left out, it belongs to another program", word));
    } else if (word.starts_with(kCpus)) {
      writer.SetText(from, "cpus", std::string_view(word).substr(kCpus.size()));
    } else {
      kept.push_back(word);
    }
  }
  writer.SetWords(from, directive, kept);
}

void SetMakedumpfile(ImportWriter& writer, const ShellAssignment& from,
                     const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {"makedumpfile"};
  // Flattening is how the other programs get a dump through a pipe.
  std::copy_if(arguments.begin(), arguments.end(), std::back_inserter(command),
               [](const std::string& word) { return word != "-F"; });
  auto settings = TakeApartCollector(command);
  if (!settings)
    return writer.Refuse(from, settings.error().message(), "write level and compression");
  if (!settings->has_value()) return writer.SetWords(from, "core_collector", command);
  Config config;
  config.compression = (*settings)->compression;
  writer.Set(from, "level", fmt::format("{}", (*settings)->level));
  writer.Set(from, "compression", FieldTexts(*FindDirective("compression"), config)[0]);
  if ((*settings)->threads) writer.Set(from, "threads", fmt::format("{}", *(*settings)->threads));
  if ((*settings)->message_level)
    writer.Set(from, "message_level", fmt::format("{}", *(*settings)->message_level));
}

}  // namespace kdumpkit
