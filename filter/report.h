// SPDX-License-Identifier: GPL-2.0-or-later
// What a run of the filter did, for people and as JSON.
#pragma once

#include <string>
#include <vector>

#include "filter/erasing.h"
#include "filter/options.h"
#include "filter/pipeline.h"
#include "filter/select.h"
#include "filter/translate.h"

namespace kdumpkit {

// How much of what was asked for is in the dump; the exit status follows from it.
enum class Completeness {
  kComplete,
  kPartial,  // a dump exists and opens, but pages are missing or the level could not be applied
  kFailed,   // no dump
};

// A level of -d that was given up because there was no room for the dump.
struct LevelAttempt {
  int level = 0;
  uint64_t kept_pages = 0;
  std::string failure;
};

// One file of a split dump.
struct DumpPartReport {
  std::string dump;  // as DumpReport::dump
  PfnRun frames;
  uint64_t pages = 0;       // in the file
  uint64_t data_bytes = 0;  // of these
  uint64_t bytes = 0;       // of the file
};

struct DumpReport {
  std::string vmcore;
  std::string dump;  // the path it really has now; empty for a dry run; the first of the parts
  std::vector<DumpPartReport> parts;  // of a split dump
  std::string kernel_release;
  Completeness completeness = Completeness::kFailed;
  int requested_level = 0;
  int level = 0;  // the level in the dump's header: less than requested after a fall-back
  Codec codec = Codec::kNone;
  int threads = 1;
  uint64_t page_size = 0;
  uint64_t existing_pages = 0;
  uint64_t kept_pages = 0;
  std::array<ClassCount, kPageClassCount> classes = {};
  std::optional<uint64_t> free_found;
  std::optional<uint64_t> free_counted;
  std::vector<CountCheck> checks;
  decltype(Selection::guard_hits) guard_hits = {};
  PipelineResult stream;
  std::vector<LevelAttempt> given_up;       // in order; the level in use came after them
  std::optional<Translation> translation;   // of --vtop
  std::optional<uint64_t> vmemmap_dropped;  // pages, with -e
  uint64_t dump_bytes = 0;  // size of the file, or files; what it would be for a dry run
  // Pages were missing from the vmcore already.
  bool input_incomplete = false;
  EraseReport erased;
  double seconds = 0;
  std::vector<std::string> warnings;

  // Every page that was to be in the dump is there.
  bool has_all_pages() const {
    return stream.reached_end() && stream.unreadable_pages == 0 && !input_incomplete;
  }
};

// Several lines; the last says where the dump is.
std::string ReportText(const DumpReport& report);
// The table of --show-stats: pages by class.
std::string StatisticsText(const DumpReport& report);
// Keys are described in kdump-filter(8).
std::string ReportJson(const DumpReport& report);

}  // namespace kdumpkit
