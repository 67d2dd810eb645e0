// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/page_batches.h"

namespace kdumpkit {

bool PageBatches::Next(PageBatch& batch) {
  std::lock_guard lock(mutex_);
  batch.pfns.clear();
  while (batch.pfns.size() < kPages) {
    std::optional<uint64_t> pfn = kept_.Next(next_pfn_);
    if (!pfn || *pfn >= end_) break;
    batch.pfns.push_back(*pfn);
    next_pfn_ = *pfn + 1;
  }
  if (batch.pfns.empty()) return false;
  batch.number = next_number_++;
  batch.first_index = next_index_;
  next_index_ += batch.pfns.size();
  return true;
}

}  // namespace kdumpkit
