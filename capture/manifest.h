// SPDX-License-Identifier: GPL-2.0-or-later
// manifest.json: what a capture saved and how it went, for kdumpctl and for people.
// kdump-capture(8) describes its members.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "capture/target.h"

namespace kdumpkit {

struct DestinationRecord {
  std::string uri;
  std::string outcome;  // "used", "failed", "skipped"
  std::string reason;   // why not "used", or not as asked for
  double seconds = 0;
};

struct Manifest {
  std::string host;
  std::string machine_id;
  std::string boot_id;
  std::string test_id;
  std::string kernel;
  std::string panic;
  time_t time = 0;  // when the capture began
  double seconds = 0;
  std::string outcome;  // "complete", "partial", "dmesg-only", "failed"
  std::string reason;
  std::string filter_json;  // kdump-filter --json; empty: no dump, or none of kdump-filter's
  uint64_t level = 0;
  std::string_view compression;
  std::vector<StoredFile> files;
  uint64_t memory_total = 0;
  uint64_t memory_lowest = 0;
  std::vector<std::string> warnings;
  std::vector<DestinationRecord> destinations;
};

std::string ManifestText(const Manifest& manifest);

}  // namespace kdumpkit
