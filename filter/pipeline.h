// SPDX-License-Identifier: GPL-2.0-or-later
// The one file where kernel memory meets the dump format: streams kept pages through N threads
// into a dump. The bytes written do not depend on N.
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "base/memory_source.h"
#include "dumpfile/codec.h"
#include "dumpfile/dump_writer.h"
#include "filter/page_bitmap.h"
#include "filter/progress.h"

namespace kdumpkit {

struct PipelineOptions {
  Codec codec = Codec::kNone;
  uint64_t page_size = 0;
  int threads = 1;
  Progress* progress = nullptr;             // may be null
  const std::atomic<bool>* stop = nullptr;  // set by a signal: end early; may be null
  int compress_level = kFastestLevel;
  PfnRun frames = {0, UINT64_MAX};  // only kept pages among these: a part of a split dump
  uint64_t pages_before = 0;        // of earlier parts, for `progress`
};

struct PipelineResult {
  uint64_t pages = 0;  // in the dump, with their descriptors
  uint64_t zero_pages = 0;
  uint64_t data_bytes = 0;  // page data; headers, bitmaps and descriptors not counted
  uint64_t unreadable_pages = 0;
  std::vector<PhysRange> unreadable;  // ascending, merged; at most kMaxUnreadableRanges
  std::string unreadable_reason;      // the first error
  std::optional<Error> failure;       // what ended it early: writing failed
  bool stopped = false;               // `stop` was set

  bool reached_end() const { return !failure && !stopped; }
};

inline constexpr size_t kMaxUnreadableRanges = 1000;

// `writer` has its headers written; null for a dry run.
Result<PipelineResult> StreamPages(const MemorySource& source, const PageBitmap& kept,
                                   const DumpWriter* writer, const PipelineOptions& options);

}  // namespace kdumpkit
