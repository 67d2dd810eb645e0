// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a dump is what it says: headers, bitmaps, every descriptor, and the pages themselves.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "dumpfile/kdump_reader.h"

namespace kdumpkit {

struct DumpCheck {
  bool incomplete = false;  // the header says that data are missing
  uint64_t pages = 0;       // that the dump is to have
  uint64_t lost_pages = 0;  // of those, marked as lost; only of an incomplete dump
  uint64_t decompressed_pages = 0;
  uint64_t fault_count = 0;
  std::vector<std::string> faults;  // the first of them: what is broken, and where
  bool stopped = false;             // by `stop`

  bool sound() const { return fault_count == 0 && !stopped; }
};

// Looks at all descriptors, and decompresses all pages, or `sample` of them that are spread evenly.
// What the page cache has of the dump is dropped first, so that it is read from its device. Takes
// as much memory as the reader, and little more.
DumpCheck CheckDump(const KdumpReader& dump, std::optional<uint64_t> sample,
                    const std::atomic<bool>& stop);

}  // namespace kdumpkit
