// SPDX-License-Identifier: GPL-2.0-or-later
// --show-layout: what is known of the dead kernel's pages, and which source gave each fact.
#pragma once

#include <string>
#include <vector>

#include "filter/options.h"
#include "kernel/kernel_facts.h"

namespace kdumpkit {

struct LayoutReport {
  struct Row {
    std::string key;  // as VMCOREINFO spells it: "OFFSET(page.flags)"
    KernelFact fact;
  };

  std::string vmcore;
  std::string kernel_release;
  std::vector<Row> rows;                // by key
  std::vector<std::string> rules_off;   // see PageLayout::disabled(); all of them when it fails
  std::vector<std::string> guards_off;  // see NeededPages::unknown
  std::vector<std::string> warnings;

  bool complete() const { return rules_off.empty(); }
};

// Fails when the vmcore cannot be opened, or has no VMCOREINFO.
Result<LayoutReport> ShowLayout(const FilterOptions& options);

std::string LayoutText(const LayoutReport& report);
std::string LayoutJson(const LayoutReport& report);

}  // namespace kdumpkit
