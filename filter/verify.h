// SPDX-License-Identifier: GPL-2.0-or-later
// What --verify and -R do with dumps that are there already, and what they say of it.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "filter/options.h"

namespace kdumpkit {

enum class Soundness {
  kWhole,
  kIncomplete,  // and marked so; what there is is sound
  kBroken,
};

struct VerifyReport {
  std::string file;
  std::string kernel_release;
  Soundness soundness = Soundness::kBroken;
  uint64_t bytes = 0;  // of the dump, as a file
  uint64_t pages = 0;  // that it is to have
  uint64_t decompressed_pages = 0;
  uint64_t lost_pages = 0;
  uint64_t fault_count = 0;
  std::vector<std::string> faults;  // the first of them
  double seconds = 0;
};

// Never fails: a dump that cannot be opened is a broken one, with that fault.
VerifyReport VerifyDump(const FilterOptions& options, const std::atomic<bool>& stop);
std::string VerifyText(const VerifyReport& report);  // one line
std::string VerifyJson(const VerifyReport& report);  // keys: kdump-filter(8)

struct ReassembleReport {
  std::string dump;  // the path it really has now
  bool complete = false;
  uint64_t records = 0;
  uint64_t bytes = 0;  // of the file
  double seconds = 0;
  std::vector<std::string> warnings;
};

// Error: there is no file.
Result<ReassembleReport> Reassemble(const FilterOptions& options, const std::atomic<bool>& stop);
std::string ReassembleText(const ReassembleReport& report);
std::string ReassembleJson(const ReassembleReport& report);

}  // namespace kdumpkit
