// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/translate.h"

#include <nlohmann/json.hpp>

#include "filter/input.h"
#include "kernel/arch.h"

namespace kdumpkit {
namespace {

PagePlace PlaceOf(uint64_t pfn, const Selection& selection) {
  if (pfn < selection.kept.pages() && selection.kept.Test(pfn)) return PagePlace::kKept;
  for (const PfnRun& run : selection.existing)
    if (pfn >= run.first && pfn < run.end) return PagePlace::kLeftOut;
  return PagePlace::kNotInVmcore;
}

std::string_view PlaceText(PagePlace place) {
  switch (place) {
    case PagePlace::kKept:
      return "kept";
    case PagePlace::kLeftOut:
      return "left out";
    case PagePlace::kNotInVmcore:
      return "not in the vmcore";
  }
  return "";
}

}  // namespace

Translation Translate(const CrashedKernel& kernel, const Selection& selection, VirtAddr address) {
  Translation translation{.address = address, .steps = {}, .physical = {}, .problem = {}};
  // It was found once, when the kernel was opened.
  Result<Paging> paging = kernel.arch().FindPaging(kernel.info(), kernel.machine());
  CHECK(paging.has_value());
  std::unique_ptr<MemoryReader> reader = kernel.source().NewReader();
  Result<MappedPage> page =
      FindMappedPage(*paging, kernel.machine().order, *reader, address, &translation.steps);
  if (!page) {
    translation.problem = page.error().message();
    return translation;
  }
  translation.physical = page->Translate(address);
  translation.page_frame = translation.physical->value >> kernel.page_shift();
  translation.place = PlaceOf(translation.page_frame, selection);
  return translation;
}

std::string TranslationText(const Translation& translation) {
  std::string text = fmt::format("virtual address 0x{:x}\n", translation.address.value);
  for (const TableStep& step : translation.steps)
    text += fmt::format("  {:<4} 0x{:016x} at physical 0x{:x}\n", step.level, step.entry,
                        step.at.value);
  if (!translation.physical) return text + fmt::format("not mapped: {}\n", translation.problem);
  return text + fmt::format("physical address 0x{:x}, page frame 0x{:x}: {}\n",
                            translation.physical->value, translation.page_frame,
                            PlaceText(translation.place));
}

nlohmann::ordered_json TranslationJson(const Translation& translation) {
  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  for (const TableStep& step : translation.steps)
    steps.push_back({{"level", step.level}, {"at", step.at.value}, {"entry", step.entry}});
  nlohmann::ordered_json json = {{"address", translation.address.value}, {"steps", steps}};
  if (!translation.physical) {
    json["problem"] = translation.problem;
    return json;
  }
  json["physical"] = translation.physical->value;
  json["page_frame"] = translation.page_frame;
  json["place"] = PlaceText(translation.place);
  return json;
}

Result<Translation> TranslateInVmcore(const FilterOptions& options) {
  Crash crash = TRY(Crash::Open(options.vmcore, options.names, options.map_input));
  if (crash.kernel == nullptr)
    return Unsupported("'{}': {}", options.vmcore, crash.warnings.back());
  Selection selection =
      SelectPages(crash.input.memory(), crash.kernel.get(), crash.page_shift, options.level,
                  {options.threads, crash.input.possible_level(), options.strict,
                   options.drop_vmemmap, crash.input.running});
  return Translate(*crash.kernel, selection, *options.translate);
}

}  // namespace kdumpkit
