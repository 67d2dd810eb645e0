// SPDX-License-Identifier: GPL-2.0-or-later
// Which dumps keep_count, keep_bytes and keep_age let go, and how they go.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "config/config.h"
#include "kdumpctl/dump_places.h"

namespace kdumpkit {

struct Removal {
  DumpRecord dump;
  std::string reason;  // "more than 5 dumps"
};

// `dumps` are newest first. Only folders with our names (which Fedora's have, too) on this
// machine's own file systems count, and can go. Never the newest, nor the newest that is complete;
// nor one that is not complete and was written to in the last hour.
std::vector<Removal> PlanRemovals(const std::vector<DumpRecord>& dumps, const Config& config,
                                  time_t now);

// Deletes the files that a capture writes, then the folder. Returns the names of what else is in
// it, with which it stays. On failure some files may be gone; manifest.json goes last.
Result<std::vector<std::string>> RemoveDump(const DumpRecord& dump, const RootDir& root);

struct PruneResult {
  struct Entry {
    Removal removal;
    std::vector<std::string> left;  // as of RemoveDump
    std::string error;              // empty: it is gone
  };
  std::vector<Entry> entries;
  size_t kept = 0;  // dumps that can be seen and stay
};
// Finds, plans and, unless `dry_run`, removes.
PruneResult Prune(const Config& config, const RootDir& root, time_t now, bool dry_run);
// A line for each entry.
std::string PruneText(const PruneResult& result, bool dry_run);
nlohmann::ordered_json PruneJson(const PruneResult& result, bool dry_run);

}  // namespace kdumpkit
