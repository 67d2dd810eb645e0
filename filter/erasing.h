// SPDX-License-Identifier: GPL-2.0-or-later
// --config: what is to be erased from a dump, found before anything is written.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "erase/erased_memory.h"
#include "erase/erasure.h"
#include "filter/input.h"
#include "filter/options.h"

namespace kdumpkit {

// For the result; kdump-filter(8) describes the keys.
struct EraseReport {
  std::string file;  // of the script; empty without --config
  std::vector<EraseResult> results;
  size_t skipped = 0;  // mistakes that --config-lenient went on from
  uint64_t bytes = 0;  // without what is named twice
  uint64_t pages = 0;  // that have some of it
};

// The input's memory as the dump is to have it.
struct Erasing {
  // Null without --config: the input's own memory.
  std::unique_ptr<ErasedMemory> memory;
  EraseReport report;
  std::vector<std::string> warnings;
};

// Adds to the input's record of erased data. Fails on the first mistake in the script, and when
// something that it names cannot be found; with options.erase_lenient only when the file cannot be
// read. The kernel's names take some megabytes, which are free again afterwards.
Result<Erasing> PrepareErasing(const FilterOptions& options, Crash& crash);

}  // namespace kdumpkit
