// SPDX-License-Identifier: GPL-2.0-or-later
// --vtop: the way of a virtual address of the dead kernel through its page tables.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "filter/options.h"
#include "filter/select.h"
#include "kernel/page_tables.h"

namespace kdumpkit {

enum class PagePlace { kKept, kLeftOut, kNotInVmcore };

struct Translation {
  VirtAddr address;
  std::vector<TableStep> steps;      // as far as it went
  std::optional<PhysAddr> physical;  // absent: see `problem`
  std::string problem;
  uint64_t page_frame = 0;  // of `physical`, as is `place`
  PagePlace place = PagePlace::kNotInVmcore;
};

Translation Translate(const CrashedKernel& kernel, const Selection& selection, VirtAddr address);

// One line a level, then one with the result.
std::string TranslationText(const Translation& translation);
nlohmann::ordered_json TranslationJson(const Translation& translation);

// --vtop without a dump. Fails when the kernel in VMCORE is not understood.
Result<Translation> TranslateInVmcore(const FilterOptions& options);

}  // namespace kdumpkit
