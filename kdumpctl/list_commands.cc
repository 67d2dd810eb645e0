// SPDX-License-Identifier: GPL-2.0-or-later
#include "kdumpctl/list_commands.h"

#include <fmt/format.h>

#include <filesystem>

#include "kdumpctl/dump_places.h"
#include "kdumpctl/json_output.h"
#include "kdumpctl/text.h"

namespace kdumpkit {
namespace {

using Json = nlohmann::ordered_json;

std::string Why(const DumpRecord& dump) {
  std::string text = dump.test_id.empty() ? dump.panic : "test " + dump.test_id;
  if (dump.reason.empty()) return text;
  return fmt::format("{}{}[{}]", text, text.empty() ? "" : " ", dump.reason);
}

std::string ListLine(const DumpRecord& dump) {
  return fmt::format("{:<20}  {:<24}  {:>10}  {:<10}  {}{}\n    {}\n", TimeText(dump.time),
                     OrUnknown(dump.kernel), SizeText(dump.size), dump.outcome,
                     dump.own ? "" : fmt::format("({}) ", OrUnknown(dump.host)), Why(dump),
                     dump.folder);
}

void PrintList(std::FILE* out, const std::vector<DumpPlace>& places,
               const std::vector<DumpRecord>& dumps) {
  for (const DumpRecord& dump : dumps) Print(out, ListLine(dump));
  if (dumps.empty()) Print(out, "no dumps\n");
  for (const DumpPlace& place : places)
    if (place.folder.empty()) Print(out, fmt::format("not seen: {}\n", place.reason));
}

Json ListJson(const std::vector<DumpPlace>& places, const std::vector<DumpRecord>& dumps) {
  Json list = Json::array();
  for (const DumpRecord& dump : dumps) list.push_back(DumpJson(dump));
  Json unseen = Json::array();
  for (const DumpPlace& place : places)
    if (place.folder.empty())
      unseen.push_back({{"destination", place.destination}, {"reason", place.reason}});
  return {{"dumps", list}, {"unseen", unseen}};
}

void PrintDetails(std::FILE* out, const DumpRecord& dump) {
  auto line = [out](std::string_view name, std::string_view value) {
    if (!value.empty()) Print(out, fmt::format("{:<12} {}\n", name, value));
  };
  line("folder", dump.folder);
  line("destination", dump.destination);
  line("host", dump.host);
  line("time", TimeText(dump.time));
  line("kernel", OrUnknown(dump.kernel));
  line("panic", OrUnknown(dump.panic));
  line("test", dump.test_id);
  line("outcome", dump.outcome);
  line("reason", dump.reason);
  line("size", fmt::format("{} ({} bytes)", SizeText(dump.size), dump.size));
  for (const DumpFile& file : dump.files)
    line("file", fmt::format("{} ({})", file.name, SizeText(file.size)));
  auto warnings = dump.manifest.is_null() ? dump.manifest.end() : dump.manifest.find("warnings");
  if (warnings == dump.manifest.end() || !warnings->is_array()) return;
  for (const Json& warning : *warnings)
    if (warning.is_string()) line("warning", warning.get<std::string>());
}

Json DetailsJson(const DumpRecord& dump) {
  Json json = DumpJson(dump);
  json["files"] = Json::array();
  for (const DumpFile& file : dump.files)
    json["files"].push_back({{"name", file.name}, {"size", file.size}});
  json["manifest"] = dump.manifest;
  return json;
}

// A path is read where it is; a name is looked for in all places.
Result<DumpRecord> FindDump(const std::string& name, const RootDir& root) {
  if (name.find('/') != std::string::npos) {
    std::error_code error;
    std::string path = std::filesystem::absolute(name, error).lexically_normal();
    if (path.size() > 1 && path.ends_with('/')) path.pop_back();
    std::optional<DumpRecord> dump = ReadDump(root, path);
    if (dump) return std::move(*dump);
    return UsageError("there is no dump in '{}'", name);
  }
  Config config = TRY(ReadConfig(root));
  std::vector<DumpPlace> places = DumpPlaces(config, root);
  for (DumpRecord& dump : ListDumps(places, root))
    if (dump.Name() == name) return std::move(dump);
  return UsageError("there is no dump '{}'; see 'kdumpctl list'", name);
}

}  // namespace

int ListCommand(const Invocation& invocation) {
  Result<Config> config = ReadConfig(invocation.root);
  if (!config) return ReportFailure(invocation, config.error().message());
  std::vector<DumpPlace> places = DumpPlaces(*config, invocation.root);
  std::vector<DumpRecord> dumps = ListDumps(places, invocation.root);
  if (invocation.json) {
    PrintJson(invocation.out, ListJson(places, dumps));
  } else {
    PrintList(invocation.out, places, dumps);
  }
  return kExitOk;
}

int ShowCommand(const Invocation& invocation) {
  Result<DumpRecord> dump = FindDump(invocation.operands[0], invocation.root);
  if (!dump) return ReportFailure(invocation, dump.error().message());
  if (invocation.json) {
    PrintJson(invocation.out, DetailsJson(*dump));
  } else {
    PrintDetails(invocation.out, *dump);
  }
  return kExitOk;
}

}  // namespace kdumpkit
