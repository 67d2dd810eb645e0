// SPDX-License-Identifier: GPL-2.0-or-later
// Writes a printk ring into FakeMemory as a kernel would, for any byte order and word size, and
// then damages it where a test wants it damaged.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "kernel/crashed_kernel.h"
#include "tests/support/fake_memory.h"

namespace kdumpkit {

class PrintkRingBuilder {
 public:
  enum State : uint64_t { kReserved = 0, kCommitted = 1, kFinalized = 2, kReusable = 3 };

  // Where the parts of the ring are; pages of their own, so that a test can make one unreadable.
  static constexpr uint64_t kPrb = 0x10000;  // the pointer
  static constexpr uint64_t kClearSeq = 0x10100;
  static constexpr uint64_t kRing = 0x11000;
  static constexpr uint64_t kDescs = 0x20000;
  static constexpr uint64_t kInfos = 0x40000;
  static constexpr uint64_t kData = 0x80000;
  static constexpr uint64_t kSize = 0x80000;  // of all memory, from kPrb on

  struct Options {
    MachineId machine = {62, ByteOrder::kLittle, 8};
    unsigned count_bits = 5;
    unsigned size_bits = 10;
    // A block that ends exactly at the end of the ring stays there (Linux 6.18 and later).
    bool exact_fit = false;
  };
  explicit PrintkRingBuilder(const Options& options);
  PrintkRingBuilder() : PrintkRingBuilder(Options{}) {}

  // Stores a record and returns its id; old records go when there is no room.
  uint64_t Add(std::string_view text, uint64_t ts_nsec = 0, State state = kFinalized);
  // A record that has no block: `lpos` is 1 (its text was lost) or 3 (it has none).
  uint64_t AddDataless(uint64_t lpos, uint64_t ts_nsec = 0);

  // What else the kernel keeps of a record.
  void SetOrigin(uint64_t id, int level, int facility, uint32_t caller,
                 std::string_view subsystem = "", std::string_view device = "");
  // Where the log was cleared: a plain number (before Linux 5.12), or the valid one of two, which
  // the counter chooses.
  void SetClearSeq(uint64_t seq);
  void SetLatchedClearSeq(uint64_t seq, uint32_t counter);

  void SetState(uint64_t id, State state) { PutState(id, id, state); }
  // The descriptor in the place of `id` claims to be `other`.
  void SetId(uint64_t id, uint64_t other) { PutState(id, other, kFinalized); }
  void SetBlock(uint64_t id, uint64_t begin, uint64_t next);
  uint64_t Begin(uint64_t id) const { return blocks_.at(id).begin; }
  uint64_t Next(uint64_t id) const { return blocks_.at(id).next; }
  void SetTextLength(uint64_t id, uint16_t length);
  void SetHead(uint64_t id);
  void SetTail(uint64_t id);
  void SetCountBits(uint32_t bits);
  void SetSizeBits(uint32_t bits);
  uint64_t head() const { return head_id_; }
  uint64_t tail() const { return tail_id_; }

  uint64_t DescAddress(uint64_t id) const;
  uint64_t InfoAddress(uint64_t id) const;
  uint64_t TextAddress(uint64_t id) const;

  // The keys of VMCOREINFO, one a line; `without` leaves a key out.
  std::string Vmcoreinfo(std::string_view without = "") const;
  // Replaces or adds a key.
  void SetKey(const std::string& key, const std::string& value) { keys_[key] = value; }
  const MachineId& machine() const { return options_.machine; }
  FakeMemory& memory() { return memory_; }
  const FakeMemory& memory() const { return memory_; }

 private:
  struct Block {
    uint64_t begin = 0;
    uint64_t next = 0;
  };

  uint64_t word() const { return static_cast<uint64_t>(options_.machine.word_size); }
  uint64_t WordMask() const { return UINT64_MAX >> (64 - 8 * word()); }
  uint64_t IdMask() const { return WordMask() >> 2; }
  uint64_t Count() const { return uint64_t{1} << options_.count_bits; }
  uint64_t DataSize() const { return uint64_t{1} << options_.size_bits; }
  uint64_t Slot(uint64_t id) const { return id & (Count() - 1); }
  uint64_t Wrap(uint64_t lpos) const { return (lpos & WordMask()) >> options_.size_bits; }

  uint64_t NewId();
  Block NewBlock(uint64_t text_size);
  uint64_t Store(const Block& block, std::string_view text, uint64_t ts_nsec, State state);
  void DropOldest();
  void DescribeStructs();
  void PutWord(uint64_t address, uint64_t value);
  void PutState(uint64_t id, uint64_t stored_id, State state);
  uint64_t TextStart(const Block& block) const;

  Options options_;
  FakeMemory memory_;
  std::map<std::string, std::string> keys_;
  uint64_t head_id_;
  uint64_t tail_id_;
  uint64_t head_lpos_;
  uint64_t tail_lpos_;
  uint64_t seq_ = 0;
  std::map<uint64_t, Block> blocks_;  // by id, of the records that are still there
  std::deque<uint64_t> ids_;          // the same, oldest first
};

}  // namespace kdumpkit
