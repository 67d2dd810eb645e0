// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/ranked_bitmap.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <new>

namespace kdumpkit {
namespace {

constexpr uint64_t kWordBits = 64;
// A rank costs at most kRankStep / kWordBits population counts, the table 1/64 of the bitmap.
constexpr uint64_t kRankStep = 4096;

uint64_t LowBits(uint64_t count) { return (uint64_t{1} << count) - 1; }  // count < 64

}  // namespace

Result<RankedBitmap> RankedBitmap::Read(const DumpSource& source, FileOffset start, uint64_t bits) {
  uint64_t words = bits / kWordBits + 1;  // One more than full words: no end to look out for.
  RankedBitmap bitmap;
  bitmap.bits_ = bits;
  bitmap.bytes_.reset(new (std::nothrow) std::byte[words * 8]());
  if (bitmap.bytes_ == nullptr)
    return SystemError(ENOMEM, fmt::format("a bitmap of {} page frames", bits));
  uint64_t bytes = bits / 8 + (bits % 8 != 0 ? 1 : 0);
  TRY(source.ReadFullyAt(start, ByteSpan(bitmap.bytes_.get(), bytes))
          .In("reading the page bitmap"));
  // Bits of the last byte that stand for no page frame must not count.
  if (bits % 8 != 0) bitmap.bytes_[bytes - 1] &= static_cast<std::byte>(LowBits(bits % 8));
  uint64_t rank = 0;
  for (uint64_t i = 0; i < words; ++i) {
    if (i % (kRankStep / kWordBits) == 0) bitmap.ranks_.push_back(rank);
    rank += static_cast<uint64_t>(std::popcount(bitmap.Word(i)));
  }
  bitmap.ranks_.push_back(rank);
  return bitmap;
}

uint64_t RankedBitmap::Word(uint64_t index) const {
  return LoadUnchecked<uint64_t>(bytes_.get() + index * 8, ByteOrder::kLittle);
}

bool RankedBitmap::Test(Pfn pfn) const {
  return pfn.value < bits_ && (Word(pfn.value / kWordBits) >> pfn.value % kWordBits & 1) != 0;
}

uint64_t RankedBitmap::Rank(Pfn pfn) const {
  uint64_t at = std::min(pfn.value, bits_);
  uint64_t rank = ranks_[at / kRankStep];
  uint64_t word = at / kRankStep * (kRankStep / kWordBits);
  for (; word < at / kWordBits; ++word) rank += static_cast<uint64_t>(std::popcount(Word(word)));
  return rank + static_cast<uint64_t>(std::popcount(Word(word) & LowBits(at % kWordBits)));
}

uint64_t RankedBitmap::Find(uint64_t from, bool value) const {
  uint64_t ignored = LowBits(from % kWordBits);
  for (uint64_t word = from / kWordBits; word * kWordBits < bits_; ++word) {
    uint64_t found = (value ? Word(word) : ~Word(word)) & ~ignored;
    if (found != 0)
      return std::min(bits_, word * kWordBits + static_cast<uint64_t>(std::countr_zero(found)));
    ignored = 0;
  }
  return bits_;
}

std::vector<PhysRange> RankedBitmap::Ranges(uint64_t page_size) const {
  std::vector<PhysRange> ranges;
  for (uint64_t first = Find(0, true); first < bits_;) {
    uint64_t end = Find(first, false);
    ranges.push_back({PhysAddr(first * page_size), (end - first) * page_size});
    first = Find(end, true);
  }
  return ranges;
}

}  // namespace kdumpkit
