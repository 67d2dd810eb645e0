// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/config_commands.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <type_traits>

#include "config/directives.h"
#include "config/files.h"
#include "config/import.h"
#include "config/parse.h"
#include "kdumpctl/json_output.h"

namespace kdumpkit {
namespace {

using Json = nlohmann::ordered_json;

// A file that was named is one of this machine, relative to where the caller is.
Result<std::string> ReadNamed(const std::string& path) {
  constexpr size_t kLimit = size_t{1} << 20;
  UniqueFd fd = TRY(OpenFile(path, O_RDONLY));
  ByteBuffer bytes = TRY(ReadToEnd(fd.get(), kLimit).In(fmt::format("cannot read '{}'", path)));
  return std::string(AsText(bytes));
}

Result<std::vector<ConfigSource>> Sources(const Invocation& invocation) {
  if (invocation.operands.empty()) return ReadConfigFiles(invocation.root);
  const std::string& path = invocation.operands[0];
  std::string text = TRY(ReadNamed(path));
  return std::vector<ConfigSource>{{path, std::move(text)}};
}

Json FileNames(const std::vector<ConfigSource>& sources) {
  Json names = Json::array();
  for (const ConfigSource& source : sources) names.push_back(source.name);
  return names;
}

Json ProblemsJson(const std::vector<Problem>& problems) {
  Json list = Json::array();
  for (const Problem& problem : problems)
    list.push_back({{"severity", SeverityName(problem.severity)},
                    {"file", problem.at.file},
                    {"line", problem.at.line},
                    {"message", problem.message},
                    {"suggestion", problem.suggestion}});
  return list;
}

size_t Count(const std::vector<Problem>& problems, Severity severity) {
  size_t count = 0;
  for (const Problem& problem : problems) count += problem.severity == severity ? 1 : 0;
  return count;
}

std::string Plural(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string Summary(const std::vector<ConfigSource>& sources, const ParsedConfig& reading) {
  std::string files;
  for (const ConfigSource& source : sources)
    files += fmt::format("{}'{}'", files.empty() ? "" : ", ", source.name);
  if (files.empty()) files = fmt::format("there is no '{}', the defaults hold", kConfigFile);
  return fmt::format("{}: {}, {}\n", files,
                     Plural(Count(reading.problems, Severity::kError), "error"),
                     Plural(Count(reading.problems, Severity::kWarning), "warning"));
}

void PrintProblems(const Invocation& invocation, const std::vector<Problem>& problems) {
  for (const Problem& problem : problems) Print(invocation.err, FormatProblem(problem) + "\n");
}

// The line that set the `index`-th value of a directive; absent: it is the default.
const SettingOrigin* OriginOf(const ParsedConfig& reading, std::string_view name, size_t index) {
  auto found = reading.origins.find(name);
  if (found == reading.origins.end() || found->second.empty()) return nullptr;
  return &found->second[std::min(index, found->second.size() - 1)];
}

std::string OriginText(const Directive& directive, const SettingOrigin* origin) {
  if (origin == nullptr) return "default";
  if (origin->by == directive.name) return origin->at.ToString();
  return fmt::format("{} ({})", origin->at.ToString(), origin->by);
}

// A setting and its origin as a line of a kdump.conf.
std::string SettingLine(const Directive& directive, const std::string& value,
                        const SettingOrigin* origin) {
  std::string setting = fmt::format("{} {}", directive.name, value);
  return fmt::format("{:<48}  # {}\n", setting, OriginText(directive, origin));
}

Json DestinationJson(const Destination& destination) {
  Json json = {{"kind", KindName(destination.kind)}, {"uri", DestinationUri(destination)}};
  auto add = [&json](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  add("source", destination.source);
  add("user", destination.user);
  add("host", destination.host);
  if (destination.port != 0) json["port"] = destination.port;
  add("path", destination.path);
  add("fstype", destination.fs_type);
  add("options", destination.mount_options);
  return json;
}

// Numbers, bytes and seconds as numbers, words and texts as they stand in a file.
Json ValueJson(const Directive& directive, const Config& config, const std::string& text) {
  return std::visit(
      [&](auto field) -> Json {
        using F = decltype(field);
        if constexpr (std::is_same_v<F, std::monostate>) {
          return text;
        } else {
          using T = std::remove_cvref_t<decltype(config.*field)>;
          if constexpr (std::is_enum_v<T>) return text;
          if constexpr (std::is_same_v<T, std::chrono::seconds>) return (config.*field).count();
          if constexpr (!std::is_enum_v<T> && !std::is_same_v<T, std::chrono::seconds>)
            return config.*field;
        }
      },
      directive.field);
}

Json SettingJson(const Directive& directive, const ParsedConfig& reading) {
  std::vector<std::string> texts = FieldTexts(directive, reading.config);
  Json origins = Json::array();
  for (size_t i = 0; i < texts.size(); ++i) {
    const SettingOrigin* origin = OriginOf(reading, directive.name, i);
    if (origin != nullptr)
      origins.push_back(
          {{"file", origin->at.file}, {"line", origin->at.line}, {"directive", origin->by}});
  }
  Json value;
  if (directive.role == Role::kDestination) {
    value = Json::array();
    for (const Destination& destination : reading.config.destinations)
      value.push_back(DestinationJson(destination));
  } else if (directive.role == Role::kCollector) {
    value = reading.config.collector;
  } else {
    value = ValueJson(directive, reading.config, texts.empty() ? "" : texts[0]);
  }
  return {{"name", directive.name}, {"text", texts}, {"value", value}, {"from", origins}};
}

bool IsShown(const Directive& directive) {
  return directive.role == Role::kValue || directive.role == Role::kDestination ||
         directive.role == Role::kCollector;
}

void PrintSettings(std::FILE* out, const ParsedConfig& reading) {
  for (const Directive& directive : Directives()) {
    if (!IsShown(directive)) continue;
    std::vector<std::string> texts = FieldTexts(directive, reading.config);
    for (size_t i = 0; i < texts.size(); ++i)
      Print(out, SettingLine(directive, texts[i], OriginOf(reading, directive.name, i)));
  }
}

void PrintSettingsJson(std::FILE* out, const std::vector<ConfigSource>& sources,
                       const ParsedConfig& reading) {
  Json settings = Json::array();
  for (const Directive& directive : Directives())
    if (IsShown(directive)) settings.push_back(SettingJson(directive, reading));
  PrintJson(out, {{"ok", reading.ok()},
                  {"files", FileNames(sources)},
                  {"settings", settings},
                  {"problems", ProblemsJson(reading.problems)}});
}

// A file that cannot be read, told in the form that was asked for.
int ReportUnreadable(const Invocation& invocation, const Error& error) {
  Problem problem{Severity::kError, {kConfigFile, 0}, error.message(), ""};
  if (!invocation.operands.empty()) problem.at.file = invocation.operands[0];
  if (invocation.json) {
    PrintJson(invocation.out,
              {{"ok", false}, {"files", Json::array()}, {"problems", ProblemsJson({problem})}});
  } else {
    invocation.Complain(error.message());
  }
  return kExitFailed;
}

const ImportSource* FindImport(std::string_view name) {
  for (const ImportSource& source : ImportSources())
    if (source.name == name) return &source;
  return nullptr;
}

Result<std::string> ReadImport(const Invocation& invocation, const ImportSource& source) {
  if (invocation.operands.size() < 2) return invocation.root.ReadText(source.file);
  return ReadNamed(invocation.operands[1]);
}

}  // namespace

int CheckConfig(const Invocation& invocation) {
  Result<std::vector<ConfigSource>> sources = Sources(invocation);
  if (!sources) return ReportUnreadable(invocation, sources.error());
  ParsedConfig reading = ParseConfig(*sources);
  if (invocation.json) {
    PrintJson(invocation.out, {{"ok", reading.ok()},
                               {"files", FileNames(*sources)},
                               {"problems", ProblemsJson(reading.problems)}});
  } else {
    PrintProblems(invocation, reading.problems);
    Print(invocation.out, Summary(*sources, reading));
  }
  return reading.ok() ? kExitOk : kExitFailed;
}

int ShowConfig(const Invocation& invocation) {
  Result<std::vector<ConfigSource>> sources = ReadConfigFiles(invocation.root);
  if (!sources) return ReportUnreadable(invocation, sources.error());
  ParsedConfig reading = ParseConfig(*sources);
  if (invocation.json) {
    PrintSettingsJson(invocation.out, *sources, reading);
  } else {
    PrintProblems(invocation, reading.problems);
    PrintSettings(invocation.out, reading);
  }
  return reading.ok() ? kExitOk : kExitFailed;
}

int ImportConfig(const Invocation& invocation) {
  const ImportSource* source = FindImport(invocation.operands[0]);
  if (source == nullptr) {
    invocation.Complain(fmt::format("import: '{}' is not known; there are debian, suse and fedora",
                                    invocation.operands[0]));
    return kExitUsage;
  }
  std::string file(invocation.operands.size() > 1 ? invocation.operands[1] : source->file);
  Result<std::string> text = ReadImport(invocation, *source);
  if (!text) {
    invocation.Complain(text.error().message());
    return kExitFailed;
  }
  Import imported = source->import(file, *text);
  Print(invocation.out, imported.text);
  PrintProblems(invocation, imported.problems);
  return imported.problems.empty() ? kExitOk : kExitPartial;
}

}  // namespace kdumpkit
