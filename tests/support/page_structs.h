// SPDX-License-Identifier: GPL-2.0-or-later
// struct page as kernels of several times had it, and what their VMCOREINFO says of it.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"

namespace kdumpkit {

// What marks pages in the kernels of one time. Bits and values are those of one build each; rules
// must take them from VMCOREINFO.
struct KernelEra {
  enum class Compound { kPageBytes, kFolioBytes, kFlags };  // where order and destructor are

  std::string name;  // the first release of that kind: "6.6"
  Compound compound;
  // Bits of page.flags; -1 where the kernel has no such flag or does not export it.
  int lru, private_data, swapcache, swapbacked, hwpoison, head;
  int slab_flag = -1;
  int hugetlb_flag = -1;
  // Values of page._mapcount; 0 where the kernel has no such type.
  int64_t buddy, offline;
  int64_t slab_type = 0;
  int64_t hugetlb_type = 0;
  int64_t unaccepted = 0;
  const char* compound_head = "compound_head";
};

// 5.10, 6.3, 6.6, 6.9, 6.11, 6.12, 7.1; oldest first.
const std::vector<KernelEra>& KernelEras();
const KernelEra& FindEra(std::string_view name);

// An array of struct pages. The setters may be combined on one page.
class PageStructs {
 public:
  PageStructs(const KernelEra& era, size_t count, ByteOrder order = ByteOrder::kLittle,
              size_t word_size = 8);

  // The lines of VMCOREINFO about struct page, free_area and page flags.
  std::string Vmcoreinfo() const;

  void Anonymous(size_t page);  // on the LRU list, as such pages are
  void Ksm(size_t page);
  void FileCache(size_t page);
  void SwapCache(size_t page);
  void Private(size_t page);
  void Slab(size_t page);
  void Free(size_t page, uint64_t order);
  void Offline(size_t page);
  void Unaccepted(size_t page);
  void Hwpoison(size_t page);
  // A head and its tails, as far as the array goes.
  void Compound(size_t page, uint8_t order);
  void Hugetlb(size_t page, uint8_t order);

  // Raw access for what the setters do not do.
  void SetFlag(size_t page, int bit);
  void SetMapcount(size_t page, int64_t value);
  void SetMapping(size_t page, uint64_t value);
  void SetCompoundHead(size_t page, uint64_t value);

  size_t struct_size() const { return 8 * word_; }
  size_t word_size() const { return word_; }
  ByteOrder order() const { return order_; }
  size_t count() const { return bytes_.size() / struct_size(); }
  const std::byte* at(size_t page) const { return bytes_.data() + page * struct_size(); }
  ByteView bytes() const { return bytes_; }

 private:
  // Offsets in words: flags 0, compound_head 1, mapping 3, private 5, _mapcount 6.
  uint64_t Word(size_t page, size_t index) const;
  void PutWord(size_t page, size_t index, uint64_t value);

  const KernelEra era_;
  ByteOrder order_;
  size_t word_;
  ByteBuffer bytes_;
};

}  // namespace kdumpkit
