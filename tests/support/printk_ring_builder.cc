// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/printk_ring_builder.h"

namespace kdumpkit {
namespace {

// struct prb_desc_ring and struct prb_data_ring begin with an unsigned int that takes a word with
// its padding; struct printk_ringbuffer is the two and an atomic_long_t. All offsets in words.
constexpr uint64_t kDescsWord = 1, kInfosWord = 2, kHeadWord = 3, kTailWord = 4;
constexpr uint64_t kDescRingWords = 6;
constexpr uint64_t kDataRing = kDescRingWords, kDataWord = 1, kDataRingWords = 4;
constexpr uint64_t kRingWords = kDescRingWords + kDataRingWords + 1;
constexpr uint64_t kDescWords = 3;
// struct printk_info has the same layout everywhere.
constexpr uint64_t kInfoSize = 88, kSeq = 0, kTime = 8, kTextLength = 16, kCallerId = 20,
                   kDevInfo = 24, kDevice = 16;

}  // namespace

PrintkRingBuilder::PrintkRingBuilder(const Options& options) : options_(options) {
  memory_.AddRange(PhysAddr(kPrb), kSize);
  // As in the kernel: before the first record there is one reusable descriptor, in the last place,
  // and the ring of text has been gone through once.
  head_id_ = tail_id_ = (0 - (Count() + 1)) & IdMask();
  head_lpos_ = tail_lpos_ = (0 - DataSize()) & WordMask();
  PutState(head_id_, head_id_, kReusable);
  PutWord(kPrb, kRing);
  PutWord(kRing + kDescsWord * word(), kDescs);
  PutWord(kRing + kInfosWord * word(), kInfos);
  PutWord(kRing + (kDataRing + kDataWord) * word(), kData);
  SetCountBits(options_.count_bits);
  SetSizeBits(options_.size_bits);
  SetHead(head_id_);
  SetTail(tail_id_);
  DescribeStructs();
}

void PrintkRingBuilder::DescribeStructs() {
  auto words = [&](uint64_t count) { return std::to_string(count * word()); };
  keys_ = {
      {"OSRELEASE", "6.12.0"},
      {"SYMBOL(prb)", fmt::format("{:x}", kPrb)},
      {"SIZE(printk_ringbuffer)", words(kRingWords)},
      {"OFFSET(printk_ringbuffer.desc_ring)", "0"},
      {"OFFSET(printk_ringbuffer.text_data_ring)", words(kDataRing)},
      {"SIZE(prb_desc_ring)", words(kDescRingWords)},
      {"OFFSET(prb_desc_ring.count_bits)", "0"},
      {"OFFSET(prb_desc_ring.descs)", words(kDescsWord)},
      {"OFFSET(prb_desc_ring.infos)", words(kInfosWord)},
      {"OFFSET(prb_desc_ring.head_id)", words(kHeadWord)},
      {"OFFSET(prb_desc_ring.tail_id)", words(kTailWord)},
      {"SIZE(prb_desc)", words(kDescWords)},
      {"OFFSET(prb_desc.state_var)", "0"},
      {"OFFSET(prb_desc.text_blk_lpos)", words(1)},
      {"OFFSET(prb_data_blk_lpos.begin)", "0"},
      {"OFFSET(prb_data_blk_lpos.next)", words(1)},
      {"SIZE(prb_data_ring)", words(kDataRingWords)},
      {"OFFSET(prb_data_ring.size_bits)", "0"},
      {"OFFSET(prb_data_ring.data)", words(kDataWord)},
      {"SIZE(printk_info)", std::to_string(kInfoSize)},
      {"OFFSET(printk_info.seq)", std::to_string(kSeq)},
      {"OFFSET(printk_info.ts_nsec)", std::to_string(kTime)},
      {"OFFSET(printk_info.text_len)", std::to_string(kTextLength)},
      {"OFFSET(printk_info.caller_id)", std::to_string(kCallerId)},
      {"OFFSET(printk_info.dev_info)", std::to_string(kDevInfo)},
      {"OFFSET(dev_printk_info.subsystem)", "0"},
      {"OFFSET(dev_printk_info.device)", std::to_string(kDevice)},
      {"LENGTH(printk_info_subsystem)", std::to_string(kDevice)},
      {"LENGTH(printk_info_device)", std::to_string(kInfoSize - kDevInfo - kDevice)},
      {"OFFSET(atomic_long_t.counter)", "0"},
  };
}

std::string PrintkRingBuilder::Vmcoreinfo(std::string_view without) const {
  std::string text;
  for (const auto& [key, value] : keys_)
    if (key != without) text += fmt::format("{}={}\n", key, value);
  return text;
}

void PrintkRingBuilder::PutWord(uint64_t address, uint64_t value) {
  if (word() == 8)
    memory_.Put(PhysAddr(address), value, options_.machine.order);
  else
    memory_.Put(PhysAddr(address), static_cast<uint32_t>(value), options_.machine.order);
}

uint64_t PrintkRingBuilder::DescAddress(uint64_t id) const {
  return kDescs + Slot(id) * kDescWords * word();
}
uint64_t PrintkRingBuilder::InfoAddress(uint64_t id) const { return kInfos + Slot(id) * kInfoSize; }

uint64_t PrintkRingBuilder::TextStart(const Block& block) const {
  bool wraps = Wrap(block.begin) != Wrap(block.next - (options_.exact_fit ? 1 : 0));
  return kData + (wraps ? 0 : block.begin & (DataSize() - 1)) + word();
}
uint64_t PrintkRingBuilder::TextAddress(uint64_t id) const { return TextStart(blocks_.at(id)); }

void PrintkRingBuilder::PutState(uint64_t id, uint64_t stored_id, State state) {
  PutWord(DescAddress(id), (stored_id & IdMask()) | state << (8 * word() - 2));
}
void PrintkRingBuilder::SetBlock(uint64_t id, uint64_t begin, uint64_t next) {
  PutWord(DescAddress(id) + word(), begin);
  PutWord(DescAddress(id) + 2 * word(), next);
}
void PrintkRingBuilder::SetTextLength(uint64_t id, uint16_t length) {
  memory_.Put(PhysAddr(InfoAddress(id) + kTextLength), length, options_.machine.order);
}
void PrintkRingBuilder::SetOrigin(uint64_t id, int level, int facility, uint32_t caller,
                                  std::string_view subsystem, std::string_view device) {
  uint64_t info = InfoAddress(id);
  int level_byte = options_.machine.order == ByteOrder::kLittle ? level << 5 : level;
  memory_.Put(PhysAddr(info + kTextLength + 2), static_cast<uint8_t>(facility));
  memory_.Put(PhysAddr(info + kTextLength + 3), static_cast<uint8_t>(level_byte));
  memory_.Put(PhysAddr(info + kCallerId), caller, options_.machine.order);
  memory_.Write(PhysAddr(info + kDevInfo), AsBytes(subsystem));
  memory_.Write(PhysAddr(info + kDevInfo + kDevice), AsBytes(device));
}
void PrintkRingBuilder::SetClearSeq(uint64_t seq) {
  SetKey("SYMBOL(clear_seq)", fmt::format("{:x}", kClearSeq));
  memory_.Put(PhysAddr(kClearSeq), seq, options_.machine.order);
}
void PrintkRingBuilder::SetLatchedClearSeq(uint64_t seq, uint32_t counter) {
  SetKey("SYMBOL(clear_seq)", fmt::format("{:x}", kClearSeq));
  SetKey("SIZE(latched_seq)", "24");
  SetKey("OFFSET(latched_seq.val)", "8");
  memory_.Put(PhysAddr(kClearSeq), counter, options_.machine.order);
  memory_.Put(PhysAddr(kClearSeq + 8), UINT64_MAX, options_.machine.order);
  memory_.Put(PhysAddr(kClearSeq + 16), UINT64_MAX, options_.machine.order);
  memory_.Put(PhysAddr(kClearSeq + 8 + (counter & 1) * 8), seq, options_.machine.order);
}
void PrintkRingBuilder::SetHead(uint64_t id) { PutWord(kRing + kHeadWord * word(), id); }
void PrintkRingBuilder::SetTail(uint64_t id) { PutWord(kRing + kTailWord * word(), id); }
void PrintkRingBuilder::SetCountBits(uint32_t bits) {
  memory_.Put(PhysAddr(kRing), bits, options_.machine.order);
}
void PrintkRingBuilder::SetSizeBits(uint32_t bits) {
  memory_.Put(PhysAddr(kRing + kDataRing * word()), bits, options_.machine.order);
}

void PrintkRingBuilder::DropOldest() {
  CHECK(!ids_.empty());
  SetState(ids_.front(), kReusable);
  if ((blocks_[ids_.front()].next & 1) == 0) tail_lpos_ = blocks_[ids_.front()].next;
  blocks_.erase(ids_.front());
  ids_.pop_front();
}

uint64_t PrintkRingBuilder::NewId() {
  head_id_ = (head_id_ + 1) & IdMask();
  if (((head_id_ - tail_id_) & IdMask()) == Count()) {
    // The place is that of the tail, whose record must go before it does.
    if (!ids_.empty() && ids_.front() == tail_id_) DropOldest();
    tail_id_ = (tail_id_ + 1) & IdMask();
    SetTail(tail_id_);
  }
  SetHead(head_id_);
  return head_id_;
}

PrintkRingBuilder::Block PrintkRingBuilder::NewBlock(uint64_t text_size) {
  uint64_t size = (word() + text_size + word() - 1) / word() * word();
  CHECK(size <= DataSize());
  Block block{head_lpos_, (head_lpos_ + size) & WordMask()};
  uint64_t last = block.next - (options_.exact_fit ? 1 : 0);
  if (Wrap(block.begin) != Wrap(last))
    block.next = ((Wrap(last) << options_.size_bits) + size) & WordMask();
  while (((block.next - tail_lpos_) & WordMask()) > DataSize() && !ids_.empty()) DropOldest();
  head_lpos_ = block.next;
  return block;
}

uint64_t PrintkRingBuilder::Store(const Block& block, std::string_view text, uint64_t ts_nsec,
                                  State state) {
  uint64_t id = NewId();
  blocks_[id] = block;
  ids_.push_back(id);
  PutState(id, id, state);
  SetBlock(id, block.begin, block.next);
  memory_.Put(PhysAddr(InfoAddress(id) + kSeq), seq_++, options_.machine.order);
  memory_.Put(PhysAddr(InfoAddress(id) + kTime), ts_nsec, options_.machine.order);
  memory_.Put(PhysAddr(InfoAddress(id) + kCallerId), uint32_t{1}, options_.machine.order);
  SetTextLength(id, static_cast<uint16_t>(text.size()));
  return id;
}

uint64_t PrintkRingBuilder::Add(std::string_view text, uint64_t ts_nsec, State state) {
  Block block = NewBlock(text.size());
  uint64_t id = Store(block, text, ts_nsec, state);
  PutWord(TextStart(block) - word(), id);
  memory_.Write(PhysAddr(TextStart(block)), AsBytes(text));
  return id;
}

uint64_t PrintkRingBuilder::AddDataless(uint64_t lpos, uint64_t ts_nsec) {
  return Store({lpos, lpos}, "", ts_nsec, kFinalized);
}

}  // namespace kdumpkit
