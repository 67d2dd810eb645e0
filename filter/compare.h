// SPDX-License-Identifier: GPL-2.0-or-later
// --compare: the memory in two files, page by page.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "base/memory_source.h"

namespace kdumpkit {

// Page frames of one kind: how many, and the first of them.
struct FrameList {
  static constexpr size_t kMost = 8;

  uint64_t count = 0;
  std::vector<uint64_t> first;  // ascending

  void Add(uint64_t frame);
  void Add(const FrameList& other);
};

struct CompareReport {
  std::string file_a;
  std::string file_b;
  uint64_t page_size = 0;
  uint64_t same = 0;  // pages
  FrameList different;
  FrameList only_a;
  FrameList only_b;
  FrameList unreadable;  // lost or damaged in one of them
  bool stopped = false;  // by a signal: not all pages were compared
  std::vector<std::string> warnings;

  bool equal() const {
    return different.count + only_a.count + only_b.count + unreadable.count == 0 && !stopped;
  }
};

// Of two memories; a page that is there in part has zeros in the rest. The lists of the report are
// filled, nothing else.
void CompareMemory(const MemorySource& a, const MemorySource& b, int page_shift, int threads,
                   const std::atomic<bool>& stop, CompareReport& report);

// Fails when a file cannot be opened.
Result<CompareReport> CompareFiles(const std::string& path_a, const std::string& path_b,
                                   int threads, const std::atomic<bool>& stop);
std::string CompareText(const CompareReport& report);
std::string CompareJson(const CompareReport& report);  // keys: kdump-filter(8)

}  // namespace kdumpkit
