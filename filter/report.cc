// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/report.h"

#include <nlohmann/json.hpp>

namespace kdumpkit {
namespace {

constexpr size_t kShownRanges = 8;

double MiB(uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

std::string_view CompletenessName(Completeness completeness) {
  switch (completeness) {
    case Completeness::kComplete:
      return "complete";
    case Completeness::kPartial:
      return "partial";
    case Completeness::kFailed:
      return "failed";
  }
  return "";
}

std::string UnreadableText(const DumpReport& report) {
  const PipelineResult& stream = report.stream;
  std::string text = fmt::format("{} pages could not be read ({}):", stream.unreadable_pages,
                                 stream.unreadable_reason);
  for (size_t i = 0; i < stream.unreadable.size() && i < kShownRanges; ++i)
    text += fmt::format(" {:#x}-{:#x}", stream.unreadable[i].base.value,
                        stream.unreadable[i].end().value - 1);
  if (stream.unreadable.size() > kShownRanges)
    text += fmt::format(" and {} more ranges", stream.unreadable.size() - kShownRanges);
  return text + "\n";
}

nlohmann::ordered_json ClassesJson(const DumpReport& report) {
  nlohmann::ordered_json classes = nlohmann::ordered_json::object();
  for (size_t i = 0; i < kPageClassCount; ++i)
    classes[std::string(PageClassName(static_cast<PageClass>(i)))] = {
        {"kept", report.classes[i].kept}, {"dropped", report.classes[i].dropped}};
  return classes;
}

nlohmann::ordered_json ChecksJson(const DumpReport& report) {
  nlohmann::ordered_json checks = nlohmann::ordered_json::array();
  for (const CountCheck& check : report.checks)
    checks.push_back({{"pages", check.what},
                      {"found", check.found},
                      {"counted", check.counted},
                      {"failed", check.failed}});
  return checks;
}

nlohmann::ordered_json GivenUpJson(const DumpReport& report) {
  nlohmann::ordered_json attempts = nlohmann::ordered_json::array();
  for (const LevelAttempt& attempt : report.given_up)
    attempts.push_back({{"level", attempt.level},
                        {"kept_pages", attempt.kept_pages},
                        {"failure", attempt.failure}});
  return attempts;
}

// Only what a guard kept.
nlohmann::ordered_json GuardsJson(const DumpReport& report) {
  nlohmann::ordered_json guards = nlohmann::ordered_json::array();
  for (size_t kind = 0; kind < kNeededKindCount; ++kind) {
    for (size_t i = 0; i < kPageClassCount; ++i) {
      if (report.guard_hits[kind][i] == 0) continue;
      guards.push_back({{"needed", NeededKindName(static_cast<NeededKind>(kind))},
                        {"class", PageClassName(static_cast<PageClass>(i))},
                        {"pages", report.guard_hits[kind][i]}});
    }
  }
  return guards;
}

nlohmann::ordered_json PartsJson(const DumpReport& report) {
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  for (const DumpPartReport& part : report.parts)
    parts.push_back({{"dump", part.dump},
                     {"first_frame", part.frames.first},
                     {"end_frame", part.frames.end},
                     {"written_pages", part.pages},
                     {"bytes", part.bytes}});
  return parts;
}

std::string PartsText(const DumpReport& report) {
  std::string text;
  for (size_t i = 0; i < report.parts.size(); ++i) {
    const DumpPartReport& part = report.parts[i];
    text +=
        fmt::format("part {} of {}{}: page frames {:#x} to {:#x}, {} pages, {:.1f} MiB\n", i + 1,
                    report.parts.size(), part.dump.empty() ? "" : fmt::format(", '{}'", part.dump),
                    part.frames.first, part.frames.end, part.pages, MiB(part.bytes));
  }
  return text;
}

nlohmann::ordered_json UnreadableJson(const PipelineResult& stream) {
  nlohmann::ordered_json ranges = nlohmann::ordered_json::array();
  for (const PhysRange& range : stream.unreadable)
    ranges.push_back({{"address", range.base.value}, {"bytes", range.size}});
  return ranges;
}

nlohmann::ordered_json ErasedJson(const EraseReport& erased) {
  if (erased.file.empty()) return nullptr;
  nlohmann::ordered_json commands = nlohmann::ordered_json::array();
  for (const EraseResult& result : erased.results)
    commands.push_back({{"line", result.place.line},
                        {"data", result.text},
                        {"nullify", result.nullify},
                        {"pieces", result.count},
                        {"bytes", result.bytes},
                        {"failed", result.failed}});
  return {{"config", erased.file},
          {"bytes", erased.bytes},
          {"pages", erased.pages},
          {"skipped", erased.skipped},
          {"commands", std::move(commands)}};
}

std::string ErasedText(const EraseReport& erased) {
  if (erased.file.empty()) return "";
  std::string text = fmt::format("erased {} bytes in {} pages, as '{}' says", erased.bytes,
                                 erased.pages, erased.file);
  if (erased.skipped > 0) text += fmt::format("; {} mistakes in it", erased.skipped);
  text += '\n';
  for (const EraseResult& result : erased.results)
    if (result.count == 0 && !result.failed)
      text += fmt::format("line {}: '{}' was found nowhere (no elements, or NULL)\n",
                          result.place.line, result.text);
  return text;
}

template <typename T>
nlohmann::ordered_json OrNull(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

}  // namespace

std::string ReportText(const DumpReport& report) {
  uint64_t memory = report.existing_pages * report.page_size;
  std::string text = fmt::format(
      "kept {} of {} pages ({:.1f} of {:.1f} MiB; {} of them zero), level {}, {}\n",
      report.kept_pages, report.existing_pages, MiB(report.kept_pages * report.page_size),
      MiB(memory), report.stream.zero_pages, report.level, CodecName(report.codec));
  text += ErasedText(report.erased);
  for (const LevelAttempt& attempt : report.given_up)
    text +=
        fmt::format("level {} was tried before and given up: {}\n", attempt.level, attempt.failure);
  if (report.vmemmap_dropped)
    text += fmt::format("{} pages of the memory map left out\n", *report.vmemmap_dropped);
  if (report.stream.unreadable_pages > 0) text += UnreadableText(report);
  text += PartsText(report);
  std::string size =
      fmt::format("{:.1f} MiB ({:.1f} % of memory) in {:.2f} s", MiB(report.dump_bytes),
                  memory == 0 ? 0 : 100 * MiB(report.dump_bytes) / MiB(memory), report.seconds);
  if (report.dump.empty()) return text + fmt::format("dry run: the dump would be {}\n", size);
  if (!report.parts.empty())
    return text + fmt::format("{} dump in {} parts: {}\n", CompletenessName(report.completeness),
                              report.parts.size(), size);
  return text + fmt::format("{} dump '{}': {}\n", CompletenessName(report.completeness),
                            report.dump, size);
}

std::string StatisticsText(const DumpReport& report) {
  std::string text = fmt::format("{:<16}{:>14}{:>14}\n", "pages", "kept", "dropped");
  for (size_t i = 0; i < kPageClassCount; ++i)
    text += fmt::format("{:<16}{:>14}{:>14}\n", PageClassName(static_cast<PageClass>(i)),
                        report.classes[i].kept, report.classes[i].dropped);
  text += fmt::format("{:<16}{:>14}{:>14}\n", "all", report.kept_pages,
                      report.existing_pages - report.kept_pages);
  for (const EraseResult& result : report.erased.results)
    text +=
        fmt::format("erased {} bytes in {} pieces: {}\n", result.bytes, result.count, result.text);
  if (report.free_found && report.free_counted)
    text += fmt::format("free pages found {}, counted by the kernel {}\n", *report.free_found,
                        *report.free_counted);
  for (const CountCheck& check : report.checks) {
    if (check.what == "free") continue;  // see above
    text += fmt::format("{} pages found {}, counted by the kernel {}{}\n", check.what, check.found,
                        check.counted, check.failed ? " (too far apart)" : "");
  }
  return text;
}

std::string ReportJson(const DumpReport& report) {
  nlohmann::ordered_json json = {
      {"result", CompletenessName(report.completeness)},
      {"vmcore", report.vmcore},
      {"dump", report.dump},
      {"parts", PartsJson(report)},
      {"kernel", report.kernel_release},
      {"requested_level", report.requested_level},
      {"level", report.level},
      {"given_up_levels", GivenUpJson(report)},
      {"compression", CodecName(report.codec)},
      {"threads", report.threads},
      {"page_size", report.page_size},
      {"memory_pages", report.existing_pages},
      {"kept_pages", report.kept_pages},
      {"written_pages", report.stream.pages},
      {"zero_pages", report.stream.zero_pages},
      {"classes", ClassesJson(report)},
      {"free_pages_found", OrNull(report.free_found)},
      {"free_pages_counted", OrNull(report.free_counted)},
      {"checks", ChecksJson(report)},
      {"erased", ErasedJson(report.erased)},
      {"vmemmap_pages_dropped", OrNull(report.vmemmap_dropped)},
      {"needed_pages_kept", GuardsJson(report)},
      {"unreadable_pages", report.stream.unreadable_pages},
      {"unreadable", UnreadableJson(report.stream)},
      {"bytes", report.dump_bytes},
      {"seconds", report.seconds},
      {"warnings", report.warnings},
  };
  if (report.translation) json["vtop"] = TranslationJson(*report.translation);
  // Paths may hold any bytes; what is not UTF-8 is shown as the replacement character.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace kdumpkit
