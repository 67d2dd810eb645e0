// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/page_layout.h"

namespace kdumpkit {

Result<PageLayout> PageLayout::FromVmcoreinfo(const Vmcoreinfo& info, ByteOrder order,
                                              int word_size, uint64_t page_size) {
  return FromFacts(KernelFacts::FromVmcoreinfo(info), order, word_size, page_size);
}

Result<PageLayout> PageLayout::FromFacts(const KernelFacts& facts, ByteOrder order, int word_size,
                                         uint64_t page_size) {
  WorkedOutRules worked_out = TRY(WorkOutPageRules(facts, order, word_size, page_size));
  PageLayout layout;
  layout.order_ = order;
  layout.word_size_ = word_size;
  layout.rules_ = worked_out.rules;
  layout.disabled_ = std::move(worked_out.disabled);
  return layout;
}

}  // namespace kdumpkit
