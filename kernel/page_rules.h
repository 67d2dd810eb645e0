// SPDX-License-Identifier: GPL-2.0-or-later
// What is known of struct page, worked out once into numbers that PageLayout compares with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "kernel/kernel_facts.h"

namespace kdumpkit {

// Every offset is inside of struct page. A rule that is off never matches.
struct PageRules {
  // A test of bits of page.flags.
  struct FlagTest {
    uint64_t mask = 0;
    uint64_t want = 1;  // with an empty mask: never
    bool operator()(uint64_t flags) const { return (flags & mask) == want; }
  };
  // A test of the type that page._mapcount holds when no process maps the page.
  struct TypeTest {
    uint64_t value = uint64_t{1} << 32;  // never
    bool operator()(uint32_t mapcount) const { return mapcount == value; }
  };
  static constexpr uint32_t kNowhere = ~uint32_t{0};

  size_t size = 0;  // of struct page, bytes
  // Offsets in struct page, bytes.
  uint32_t flags_at = 0, mapping_at = 0, mapcount_at = 0, private_at = 0, compound_at = 0;

  FlagTest lru, swap_cache, private_data, head, hwpoison, slab_flag;
  TypeTest slab_type, buddy, unaccepted, offline, hugetlb_type;
  uint64_t anon_mask = 0;  // of page.mapping
  uint8_t max_order = 0;   // of free blocks

  // In the second struct page of a compound page.
  uint32_t order_at = kNowhere;  // one byte: the order
  uint32_t dtor_at = kNowhere;   // one byte: the destructor, until Linux 6.5
  uint8_t hugetlb_dtor = 0;
  FlagTest hugetlb_flag;  // Linux 6.6 to 6.8
};

struct WorkedOutRules {
  PageRules rules;
  std::vector<std::string> disabled;  // see PageLayout::disabled()
};

// Fails where PageLayout::FromFacts does.
Result<WorkedOutRules> WorkOutPageRules(const KernelFacts& facts, ByteOrder order, int word_size,
                                        uint64_t page_size);

}  // namespace kdumpkit
