// SPDX-License-Identifier: GPL-2.0-or-later
// Where the fields of the printk ring are in the dead kernel (Linux
// kernel/printk/printk_ringbuffer.h; commit 896fbe20b4e2 ("printk: use the lockless ringbuffer"),
// in v5.10), and the values of its one struct printk_ringbuffer.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "kernel/crashed_kernel.h"

namespace kdumpkit {

// An unsigned long of the dead machine, its arithmetic modulo 2^bits.
struct TargetWord {
  int size = 8;  // bytes
  ByteOrder order = ByteOrder::kLittle;

  int bits() const { return size * 8; }
  uint64_t mask() const { return UINT64_MAX >> (64 - bits()); }
  // The caller guarantees `size` bytes at `data`.
  uint64_t Load(const std::byte* data) const {
    return size == 8 ? LoadUnchecked<uint64_t>(data, order) : LoadUnchecked<uint32_t>(data, order);
  }
};

// A copy of one structure: `size` bytes. Every offset beside it was checked to lie inside.
struct PrintkLayout {
  // struct printk_ringbuffer, those inside its desc_ring and text_data_ring included
  size_t ring_size = 0;
  size_t count_bits = 0, descs = 0, infos = 0, head_id = 0, tail_id = 0;
  size_t size_bits = 0, data = 0;
  // struct prb_desc
  size_t desc_size = 0;
  size_t state_var = 0, begin = 0, next = 0;
  // struct printk_info
  size_t info_size = 0;
  size_t seq = 0, ts_nsec = 0, text_len = 0;
  // What the text can do without; absent when the kernel does not tell. The byte behind the
  // facility holds flags and level.
  std::optional<size_t> facility, caller_id;
  bool has_device = false;
  size_t subsystem = 0, subsystem_size = 0, device = 0, device_size = 0;

  // kUnsupported when VMCOREINFO lacks a key (the error names it), kMalformed when a member lies
  // outside of its structure.
  static Result<PrintkLayout> Find(const Vmcoreinfo& info, TargetWord word);
};

// struct printk_ringbuffer as it was at the crash, its sizes checked.
struct PrintkRing {
  uint64_t count = 0;  // descriptors, a power of two
  VirtAddr descs;
  VirtAddr infos;
  uint64_t head_id = 0;  // the newest record
  uint64_t tail_id = 0;  // the oldest
  unsigned size_bits = 0;
  VirtAddr data;

  uint64_t data_size() const { return uint64_t{1} << size_bits; }
  static Result<PrintkRing> Read(KernelMemory& memory, const Vmcoreinfo& info,
                                 const PrintkLayout& layout, TargetWord word);
};

// Where a record's text is in the data ring.
struct PrintkText {
  uint64_t offset = 0;
  uint64_t size = 0;  // what there is room for
};

// From a descriptor's text_blk_lpos. Empty text for a record without data; nothing when the two
// positions cannot be those of a block.
std::optional<PrintkText> LocatePrintkText(const PrintkRing& ring, TargetWord word, uint64_t begin,
                                           uint64_t next);

}  // namespace kdumpkit
