// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/show_layout.h"

#include <nlohmann/json.hpp>

#include "filter/input.h"
#include "kernel/kernel_names.h"
#include "kernel/needed_pages.h"
#include "kernel/page_layout.h"

namespace kdumpkit {
namespace {

LayoutReport ReportOf(const CrashedKernel& kernel) {
  LayoutReport report;
  report.kernel_release = kernel.info().Text("OSRELEASE").value_or("");
  KernelNames names = KernelNames::Learn(kernel);
  KernelFacts facts = KernelFacts::Learn(kernel, names);
  report.guards_off = FindNeededPages(kernel, names).unknown;
  for (const auto& [key, fact] : facts.settled()) report.rows.push_back({key, fact});
  Result<PageLayout> layout = PageLayout::FromFacts(facts, kernel.machine().order,
                                                    kernel.machine().word_size, kernel.page_size());
  report.rules_off = layout ? layout->disabled() : std::vector{layout.error().message()};
  report.warnings = facts.Contradictions();
  if (!facts.without_btf().empty()) {
    report.warnings.push_back(
        fmt::format("the kernel's own types were not read: {}", facts.without_btf()));
  }
  return report;
}

std::string SourceText(const LayoutReport::Row& row) {
  std::string text(FactSourceName(row.fact.source));
  if (row.fact.confirmed) text += " and BTF";
  if (row.fact.other)
    text += fmt::format(", but {} by {}", FactText(row.key, *row.fact.other),
                        FactSourceName(row.fact.other_source));
  return text;
}

nlohmann::ordered_json RowJson(const LayoutReport::Row& row) {
  // Symbols are text: hexadecimal, and JSON readers may lose bits of numbers above 2^53.
  auto value = [&](uint64_t bits) -> nlohmann::ordered_json {
    if (row.key.starts_with("SYMBOL(")) return "0x" + FactText(row.key, bits);
    return static_cast<int64_t>(bits);
  };
  nlohmann::ordered_json json = {{"key", row.key},
                                 {"value", value(row.fact.value)},
                                 {"source", FactSourceName(row.fact.source)},
                                 {"confirmed", row.fact.confirmed}};
  if (row.fact.other) {
    json["contradicted_by"] = value(*row.fact.other);
    json["contradicting_source"] = FactSourceName(row.fact.other_source);
  }
  return json;
}

}  // namespace

Result<LayoutReport> ShowLayout(const FilterOptions& options) {
  Input input = TRY(Input::Open(options.vmcore));
  std::unique_ptr<CrashedKernel> kernel =
      TRY(OpenKernel(input).In(fmt::format("'{}'", options.vmcore)));
  LayoutReport report = ReportOf(*kernel);
  report.vmcore = options.vmcore;
  return report;
}

std::string LayoutText(const LayoutReport& report) {
  std::string text = fmt::format("kernel {}\n", report.kernel_release);
  for (const LayoutReport::Row& row : report.rows) {
    text += fmt::format("{:<40} {:>16}  {}\n", row.key, FactText(row.key, row.fact.value),
                        SourceText(row));
  }
  for (const std::string& rule : report.rules_off) {
    text += fmt::format("rule is off, its pages are kept: {}\n", rule);
  }
  if (report.rules_off.empty()) text += "every rule is on\n";
  for (const std::string& guard : report.guards_off)
    text += fmt::format("needed pages are not known, nor guarded: {}\n", guard);
  return text;
}

std::string LayoutJson(const LayoutReport& report) {
  nlohmann::ordered_json facts = nlohmann::ordered_json::array();
  for (const LayoutReport::Row& row : report.rows) facts.push_back(RowJson(row));
  nlohmann::ordered_json json = {{"vmcore", report.vmcore},
                                 {"kernel", report.kernel_release},
                                 {"facts", facts},
                                 {"rules_off", report.rules_off},
                                 {"guards_off", report.guards_off},
                                 {"warnings", report.warnings}};
  // Paths may hold any bytes; what is not UTF-8 is shown as the replacement character.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace kdumpkit
