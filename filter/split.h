// SPDX-License-Identifier: GPL-2.0-or-later
// Where a dump is cut into parts for --split.
#pragma once

#include <vector>

#include "base/memory_source.h"
#include "dumpfile/codec.h"
#include "filter/page_bitmap.h"

namespace kdumpkit {

struct SplitOptions {
  size_t parts = 2;
  uint64_t frames = 0;       // of the dump: the last part ends here
  uint64_t block_pages = 1;  // every part but the first begins at a multiple of these
  uint64_t page_size = 0;    // bytes
  Codec codec = Codec::kNone;
  int compress_level = kFastestLevel;
};

// Parts that tile [0, frames), in order, and whose files become about equally large: up to 4096 of
// the kept pages, spread evenly, are compressed to see how large they and their neighbours become.
// There may be empty parts, when there are fewer blocks than parts.
Result<std::vector<PfnRun>> CutIntoParts(const MemorySource& memory, const PageBitmap& kept,
                                         const SplitOptions& options);

}  // namespace kdumpkit
