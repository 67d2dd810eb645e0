// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/manifest.h"

#include <fmt/format.h>

#include "capture/json.h"

namespace kdumpkit {
namespace {

std::string TimeText(time_t when) {
  tm parts = {};
  gmtime_r(&when, &parts);
  char text[32];
  size_t size = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, size};
}

std::string_view VerifiedName(Verified verified) {
  switch (verified) {
    case Verified::kNo:
      return "no";
    case Verified::kSample:
      return "sample";
    case Verified::kYes:
      return "yes";
  }
  CHECK(false);
}

// One object, a member a line.
class ObjectWriter {
 public:
  void Raw(std::string_view name, std::string_view value) {
    text_ += fmt::format("{}  {}: {}", text_.empty() ? "{\n" : ",\n", JsonText(name), value);
  }
  void Text(std::string_view name, std::string_view value) { Raw(name, JsonText(value)); }
  void Number(std::string_view name, uint64_t value) { Raw(name, fmt::format("{}", value)); }
  void Seconds(std::string_view name, double value) { Raw(name, fmt::format("{:.1f}", value)); }
  std::string Take() { return text_ + "\n}\n"; }

 private:
  std::string text_;
};

// "[...]" of elements that are JSON already.
std::string Array(const std::vector<std::string>& elements) {
  std::string text;
  for (const std::string& element : elements)
    text += fmt::format("{}\n    {}", text.empty() ? "" : ",", element);
  return text.empty() ? "[]" : fmt::format("[{}\n  ]", text);
}

std::string Files(const Manifest& manifest) {
  std::vector<std::string> elements;
  for (const StoredFile& file : manifest.files)
    elements.push_back(fmt::format(R"({{"name": {}, "size": {}, "sha256": {}, "verified": "{}"}})",
                                   JsonText(file.name), file.digest.size,
                                   JsonText(file.digest.sha256), VerifiedName(file.verified)));
  return Array(elements);
}

std::string Destinations(const Manifest& manifest) {
  std::vector<std::string> elements;
  for (const DestinationRecord& record : manifest.destinations)
    elements.push_back(
        fmt::format(R"({{"uri": {}, "outcome": "{}", "reason": {}, "seconds": {:.1f}}})",
                    JsonText(record.uri), record.outcome, JsonText(record.reason), record.seconds));
  return Array(elements);
}

// The filter's own are among them, as they stand in its JSON.
std::string Warnings(const Manifest& manifest) {
  std::vector<std::string> elements;
  for (const std::string& warning : manifest.warnings) elements.push_back(JsonText(warning));
  std::string_view said = JsonMember(manifest.filter_json, "warnings").value_or("[]");
  said = Trimmed(said.substr(1, said.size() - 2));
  if (!said.empty()) elements.emplace_back(said);
  return Array(elements);
}

// The counts of kdump-filter --json.
std::string Pages(const Manifest& manifest) {
  std::string text;
  for (std::string_view name : {"page_size", "memory_pages", "kept_pages", "written_pages",
                                "zero_pages", "unreadable_pages", "classes"}) {
    std::optional<std::string_view> value = JsonMember(manifest.filter_json, name);
    if (value) text += fmt::format("{}\"{}\": {}", text.empty() ? "" : ", ", name, *value);
  }
  return fmt::format("{{{}}}", text);
}

}  // namespace

std::string ManifestText(const Manifest& manifest) {
  ObjectWriter out;
  out.Number("format", 1);
  out.Text("host", manifest.host);
  out.Text("machine_id", manifest.machine_id);
  out.Text("boot_id", manifest.boot_id);
  if (!manifest.test_id.empty()) out.Text("test_id", manifest.test_id);
  out.Text("kernel", manifest.kernel);
  out.Text("panic", manifest.panic);
  out.Text("time", TimeText(manifest.time));
  out.Seconds("duration", manifest.seconds);
  out.Text("outcome", manifest.outcome);
  out.Text("reason", manifest.reason);
  out.Number("level", manifest.level);
  out.Text("compression", manifest.compression);
  out.Raw("pages", Pages(manifest));
  out.Raw("files", Files(manifest));
  out.Raw("memory", fmt::format(R"({{"total": {}, "lowest_available": {}}})", manifest.memory_total,
                                manifest.memory_lowest));
  out.Raw("warnings", Warnings(manifest));
  out.Raw("destinations", Destinations(manifest));
  out.Text("version", "kdump-capture " KDUMPKIT_VERSION);
  return out.Take();
}

}  // namespace kdumpkit
