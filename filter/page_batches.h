// SPDX-License-Identifier: GPL-2.0-or-later
// Cuts the kept pages into batches, the unit of work of the pipeline's threads.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "filter/page_bitmap.h"

namespace kdumpkit {

struct PageBatch {
  uint64_t number = 0;       // 0, 1, 2 … in order of page frame
  uint64_t first_index = 0;  // rank of its first page among all kept pages of the run
  std::vector<uint64_t> pfns;
};

// Hands out batches in order; thread safe.
class PageBatches {
 public:
  static constexpr size_t kPages = 128;

  // Of the kept pages within `run`.
  PageBatches(const PageBitmap& kept, PfnRun run)
      : kept_(kept), end_(run.end), next_pfn_(run.first) {}
  explicit PageBatches(const PageBitmap& kept) : PageBatches(kept, {0, kept.pages()}) {}

  // False when all pages were handed out. `batch` is reused, to allocate nothing.
  bool Next(PageBatch& batch);

 private:
  const PageBitmap& kept_;
  const uint64_t end_;
  std::mutex mutex_;
  uint64_t next_pfn_;
  uint64_t next_index_ = 0;
  uint64_t next_number_ = 0;
};

}  // namespace kdumpkit
