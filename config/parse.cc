// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/parse.h"

#include <algorithm>

#include "config/checks.h"
#include "config/directives.h"
#include "config/statement.h"
#include "config/suggest.h"

namespace kdumpkit {
namespace {

// All ways to name a destination are one setting: of one file only one of them counts.
constexpr std::string_view kDestination = "destination";

std::string Quoted(const Statement& statement) {
  return fmt::format("'{} {}'", Shown(statement.name), Shown(statement.value));
}

// What a core_collector command sets besides itself.
struct CollectorField {
  std::string_view name;
  bool (*given)(const CollectorSettings&);  // false: the command does not mention it
  void (*set)(const CollectorSettings&, Config&);
};
constexpr CollectorField kCollectorFields[] = {
    {"level", [](const CollectorSettings&) { return true; },
     [](const CollectorSettings& from, Config& to) { to.level = from.level; }},
    {"compression", [](const CollectorSettings&) { return true; },
     [](const CollectorSettings& from, Config& to) { to.compression = from.compression; }},
    {"flattened", [](const CollectorSettings& from) { return from.flattened; },
     [](const CollectorSettings& from, Config& to) { to.flattened = from.flattened; }},
    {"threads", [](const CollectorSettings& from) { return from.threads.has_value(); },
     [](const CollectorSettings& from, Config& to) { to.threads = *from.threads; }},
    {"message_level", [](const CollectorSettings& from) { return from.message_level.has_value(); },
     [](const CollectorSettings& from, Config& to) { to.message_level = *from.message_level; }},
};

bool IsCollectorField(std::string_view name) {
  return std::any_of(std::begin(kCollectorFields), std::end(kCollectorFields),
                     [name](const CollectorField& field) { return field.name == name; });
}

class ConfigParser {
 public:
  explicit ConfigParser(ParsedConfig& out) : out_(out) {}

  void ReadSource(const ConfigSource& source) {
    seen_.clear();
    file_ = source.name;
    StatementList list = ReadStatements(source.name, source.text);
    for (Problem& problem : list.problems) out_.problems.push_back(std::move(problem));
    for (const Statement& statement : list.statements) Apply(statement);
  }

 private:
  struct Seen {
    std::string_view name;  // as it is written there
    unsigned line;
  };

  void Report(Severity severity, const Statement& statement, std::string message,
              std::string suggestion = "") {
    out_.problems.push_back(
        {severity, {file_, statement.line}, std::move(message), std::move(suggestion)});
  }
  void Error(const Statement& statement, std::string message, std::string suggestion = "") {
    Report(Severity::kError, statement, std::move(message), std::move(suggestion));
  }

  void Apply(const Statement& statement) {
    const Directive* directive = FindDirective(statement.name);
    if (directive == nullptr) {
      Error(statement, fmt::format("unknown directive '{}'", Shown(statement.name)),
            SuggestName(statement.name));
    } else if (directive->role == Role::kRemoved) {
      Error(statement, fmt::format("'{}' has been removed", directive->name),
            std::string(directive->help));
    } else if (directive->role == Role::kRenamed) {
      Report(Severity::kWarning, statement,
             fmt::format("'{}' is now called '{}'", directive->name, directive->help),
             fmt::format("write '{} {}'", directive->help, Shown(statement.value)));
      ApplyDirective(*FindDirective(directive->help), statement);
    } else {
      ApplyDirective(*directive, statement);
    }
  }

  void ApplyDirective(const Directive& directive, const Statement& statement) {
    bool empty =
        statement.words.empty() || (statement.words.size() == 1 && statement.words[0].text.empty());
    if (empty) {
      Error(statement, fmt::format("'{}' has no value", statement.name),
            fmt::format("write '{} {}'", directive.name, directive.argument));
      return;
    }
    if (!CheckOnce(directive, statement)) return CheckOnly(directive, statement);
    switch (directive.role) {
      case Role::kDestination:
        return ApplyDestination(statement);
      case Role::kTarget:
        return ApplyTarget(directive, statement);
      case Role::kCollector:
        return ApplyCollector(statement);
      default:
        return ApplyValue(directive, statement);
    }
  }

  // False when this file has said so already. All ways to name a destination count as one, but
  // for several lines of `destination`.
  bool CheckOnce(const Directive& directive, const Statement& statement) {
    bool target = directive.role == Role::kTarget || directive.role == Role::kDestination;
    auto [found, is_new] = seen_.try_emplace(target ? kDestination : directive.name,
                                             Seen{directive.name, statement.line});
    if (is_new) return true;
    const Seen& first = found->second;
    if (directive.repeatable && first.name == directive.name)
      return CheckCount(directive, statement);
    if (target) {
      Error(statement,
            fmt::format("{} is a second destination, the first is '{}' in line {}",
                        Quoted(statement), first.name, first.line),
            "write each one as 'destination URI', in the order to try them");
    } else {
      Error(statement, fmt::format("'{}' stands in line {} already", directive.name, first.line),
            "remove one of the lines");
    }
    return false;
  }

  // Reports what is wrong with a line that has no effect in any case.
  void CheckOnly(const Directive& directive, const Statement& statement) {
    Config scratch;
    Status good;
    if (directive.role == Role::kDestination) {
      Result<Destination> destination = ParseDestinationLine(statement);
      if (!destination) good = destination.error();
    } else if (directive.role == Role::kTarget) {
      Result<Destination> destination = ParseTargetLine(directive, statement);
      if (!destination) good = destination.error();
    } else if (directive.role == Role::kValue) {
      if (directive.repeatable) ClearElements(directive, scratch);
      good = SetField(directive, statement, scratch);
    }
    if (!good) BadValue(statement, good.error().message());
  }

  static Result<Destination> ParseDestinationLine(const Statement& statement) {
    std::vector<std::string> words;
    for (const Word& word : statement.words) words.push_back(word.text);
    return ParseDestination(words);
  }

  static Result<Destination> ParseTargetLine(const Directive& directive,
                                             const Statement& statement) {
    return ParseFedoraTarget(directive.name, TRY(OneText(statement)));
  }

  void AddDestination(const Statement& statement, std::string_view by, Destination destination) {
    std::vector<SettingOrigin>& origins = out_.origins[kDestination];
    // The first one of a file replaces what earlier files have.
    if (!IsOfThisFile(kDestination)) {
      out_.config.destinations.clear();
      origins.clear();
    }
    auto& known = out_.config.destinations;
    auto same = std::find(known.begin(), known.end(), destination);
    if (same != known.end()) {
      size_t index = static_cast<size_t>(same - known.begin());
      Error(statement,
            fmt::format("{} is the same destination as in line {}", Quoted(statement),
                        origins[index].at.line),
            "remove one of the lines");
      return;
    }
    known.push_back(std::move(destination));
    origins.push_back({{file_, statement.line}, by});
  }

  void ApplyDestination(const Statement& statement) {
    Result<Destination> destination = ParseDestinationLine(statement);
    if (!destination) return BadValue(statement, destination.error().message());
    AddDestination(statement, kDestination, std::move(*destination));
  }

  void ApplyTarget(const Directive& directive, const Statement& statement) {
    Result<Destination> destination = ParseTargetLine(directive, statement);
    if (!destination) return BadValue(statement, destination.error().message());
    AddDestination(statement, directive.name, std::move(*destination));
  }

  void BadValue(const Statement& statement, const std::string& wanted) {
    bool equals = statement.words[0].text.starts_with('=');
    Error(statement, fmt::format("{} cannot be used", Quoted(statement)),
          equals ? "a directive and its value stand side by side, without '='" : wanted);
  }

  void ApplyValue(const Directive& directive, const Statement& statement) {
    if (!CheckCollectorField(directive, statement)) return;
    WarnOfBlanks(directive, statement);
    bool replaces = !directive.repeatable || !IsOfThisFile(directive.name);
    Config changed = out_.config;
    if (directive.repeatable && replaces) ClearElements(directive, changed);
    Status set = SetField(directive, statement, changed);
    if (!set) return BadValue(statement, set.error().message());
    out_.config = std::move(changed);
    std::vector<SettingOrigin>& origins = out_.origins[directive.name];
    if (replaces) origins.clear();
    origins.push_back({{file_, statement.line}, directive.name});
    if (directive.name == "dracut_args") ApplyDracutMount(directive, statement);
  }

  static void ClearElements(const Directive& directive, Config& config) {
    auto* field = std::get_if<std::vector<std::string> Config::*>(&directive.field);
    CHECK(field != nullptr);
    (config.**field).clear();
  }

  void WarnOfBlanks(const Directive& directive, const Statement& statement) {
    if (!std::holds_alternative<std::string Config::*>(directive.field)) return;
    bool loose =
        statement.words.size() > 1 && std::none_of(statement.words.begin(), statement.words.end(),
                                                   [](const Word& word) { return word.quoted; });
    if (!loose) return;
    Report(Severity::kWarning, statement,
           fmt::format("{} is taken for one value with blanks", Quoted(statement)),
           "put it in quotes if that is meant");
  }

  // level and the like beside a core_collector that says something else.
  bool CheckCollectorField(const Directive& directive, const Statement& statement) {
    if (!IsCollectorField(directive.name)) return true;
    auto command = out_.origins.find("core_collector");
    if (command != out_.origins.end() && !out_.config.collector.empty()) {
      Error(statement,
            fmt::format("{} has no effect: core_collector in {} runs '{}'", Quoted(statement),
                        command->second[0].at.ToString(), Shown(out_.config.collector[0])),
            "remove one of the lines");
      return false;
    }
    auto set = out_.origins.find(directive.name);
    if (set == out_.origins.end() || set->second[0].by == directive.name) return true;
    if (set->second[0].at.file != file_) return true;
    Error(statement,
          fmt::format("{} conflicts with core_collector in line {}", Quoted(statement),
                      set->second[0].at.line),
          "remove core_collector, or the option that stands for the same in it");
    return false;
  }

  void ApplyCollector(const Statement& statement) {
    Result<std::vector<std::string>> words = WordList(statement);
    if (!words) return BadValue(statement, words.error().message());
    auto settings = TakeApartCollector(*words);
    if (!settings) return BadValue(statement, settings.error().message());
    if (!CheckCollectorConflicts(statement, *settings)) return;
    Origin at{file_, statement.line};
    // What an earlier file has is replaced as a whole.
    Config defaults;
    for (const CollectorField& field : kCollectorFields) {
      bool given = settings->has_value() && field.given(**settings);
      if (given) {
        field.set(**settings, out_.config);
        out_.origins[field.name] = {{at, "core_collector"}};
      } else if (!IsOfThisFile(field.name)) {
        field.set(DefaultSettings(defaults), out_.config);
        out_.origins.erase(field.name);
      }
    }
    out_.config.collector.clear();
    if (!settings->has_value()) out_.config.collector = std::move(*words);
    out_.origins["core_collector"] = {{at, "core_collector"}};
  }

  static CollectorSettings DefaultSettings(const Config& defaults) {
    return {defaults.level, defaults.compression, defaults.flattened, defaults.threads,
            defaults.message_level};
  }

  // A file that has more is no configuration, and reading it should not take long.
  bool CheckCount(const Directive& directive, const Statement& statement) {
    constexpr size_t kMost = 64;
    auto found = out_.origins.find(directive.name);
    if (found == out_.origins.end() || found->second.size() < kMost) return true;
    Error(statement, fmt::format("more than {} lines of '{}'", kMost, directive.name),
          "remove those that are not needed");
    return false;
  }

  bool IsOfThisFile(std::string_view name) const {
    auto found = out_.origins.find(name);
    return found != out_.origins.end() && !found->second.empty() &&
           found->second[0].at.file == file_;
  }

  bool CheckCollectorConflicts(const Statement& statement,
                               const std::optional<CollectorSettings>& settings) {
    for (const CollectorField& field : kCollectorFields) {
      if (!IsOfThisFile(field.name) || (settings && !field.given(*settings))) continue;
      Error(statement,
            fmt::format("{} conflicts with '{}' in line {}", Quoted(statement), field.name,
                        out_.origins[field.name][0].at.line),
            "remove core_collector, or the other line");
      return false;
    }
    return true;
  }

  // Fedora takes a --mount in dracut_args for the dump's target.
  void ApplyDracutMount(const Directive& directive, const Statement& statement) {
    std::vector<std::string> mounts = DracutMounts(out_.config.dracut_args);
    if (mounts.empty()) return;
    if (mounts.size() > 1) {
      Error(statement, "dracut_args has more than one --mount, and each is a destination",
            "write each one as 'destination URI', in the order to try them");
      return;
    }
    Result<Destination> destination = ParseDracutMount(mounts[0]);
    if (!destination) return BadValue(statement, destination.error().message());
    auto [found, is_new] = seen_.try_emplace(kDestination, Seen{directive.name, statement.line});
    if (is_new) {
      AddDestination(statement, directive.name, std::move(*destination));
      return;
    }
    Error(statement,
          fmt::format("the --mount of dracut_args is a second destination, the first is '{}' in "
                      "line {}",
                      found->second.name, found->second.line),
          "write each one as 'destination URI', in the order to try them");
  }

  ParsedConfig& out_;
  std::string file_;
  std::map<std::string_view, Seen> seen_;  // in this file
};

}  // namespace

ParsedConfig ParseConfig(std::span<const ConfigSource> sources) {
  ParsedConfig reading;
  ConfigParser parser(reading);
  std::map<std::string_view, size_t> order;
  for (const ConfigSource& source : sources) {
    order.try_emplace(source.name, order.size());
    parser.ReadSource(source);
  }
  CompleteConfig(reading);
  std::stable_sort(reading.problems.begin(), reading.problems.end(),
                   [&order](const Problem& a, const Problem& b) {
                     return std::pair(order[a.at.file], a.at.line) <
                            std::pair(order[b.at.file], b.at.line);
                   });
  return reading;
}

}  // namespace kdumpkit
