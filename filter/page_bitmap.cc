// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/page_bitmap.h"

#include <algorithm>

namespace kdumpkit {

std::vector<PfnRun> ExistingRuns(std::span<const PhysRange> ranges, int page_shift) {
  std::vector<PfnRun> runs;
  for (const PhysRange& range : ranges) {
    if (range.size == 0) continue;
    PfnRun run{range.base.value >> page_shift, ((range.end().value - 1) >> page_shift) + 1};
    // Two ranges may share a page.
    if (!runs.empty() && run.first <= runs.back().end) {
      runs.back().end = std::max(runs.back().end, run.end);
    } else {
      runs.push_back(run);
    }
  }
  return runs;
}

PageBitmap::PageBitmap(uint64_t pages, std::span<const PfnRun> runs)
    : pages_(pages), words_((pages + 63) / 64) {
  for (const PfnRun& run : runs) Set(run);
}

template <typename Function>
void PageBitmap::ForEachWord(PfnRun run, Function f) const {
  run.end = std::min(run.end, pages_);
  while (run.first < run.end) {
    uint64_t bit = run.first % 64;
    uint64_t count = std::min(64 - bit, run.end - run.first);
    uint64_t mask = (count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1) << bit;
    f(run.first / 64, mask);
    run.first += count;
  }
}

void PageBitmap::Set(PfnRun run) {
  ForEachWord(run, [this](uint64_t word, uint64_t mask) { words_[word] |= mask; });
}

uint64_t PageBitmap::Clear(PfnRun run) {
  uint64_t cleared = 0;
  ForEachWord(run, [&](uint64_t word, uint64_t mask) {
    cleared += static_cast<uint64_t>(std::popcount(words_[word] & mask));
    words_[word] &= ~mask;
  });
  return cleared;
}

uint64_t PageBitmap::Count(PfnRun run) const {
  uint64_t count = 0;
  ForEachWord(run, [&](uint64_t word, uint64_t mask) {
    count += static_cast<uint64_t>(std::popcount(words_[word] & mask));
  });
  return count;
}

std::optional<uint64_t> PageBitmap::Next(uint64_t pfn) const {
  if (pfn >= pages_) return std::nullopt;
  uint64_t index = pfn / 64;
  uint64_t word = words_[index] & (~uint64_t{0} << (pfn % 64));
  while (word == 0) {
    if (++index == words_.size()) return std::nullopt;
    word = words_[index];
  }
  return index * 64 + static_cast<uint64_t>(std::countr_zero(word));
}

std::optional<PfnRun> PageBitmap::NextRun(uint64_t pfn) const {
  std::optional<uint64_t> first = Next(pfn);
  if (!first) return std::nullopt;
  uint64_t end = *first;
  while (end < pages_) {
    auto ones = static_cast<uint64_t>(std::countr_one(words_[end / 64] >> (end % 64)));
    end += ones;
    if (ones == 0 || end % 64 != 0) break;
  }
  return PfnRun{*first, end};
}

ByteBuffer PageBitmap::Bytes(uint64_t first_byte, size_t size) const {
  ByteBuffer bytes(size);
  for (size_t i = 0; i < size; ++i) {
    uint64_t at = first_byte + i;
    if (at / 8 >= words_.size()) break;
    bytes[i] = static_cast<std::byte>(words_[at / 8] >> (at % 8 * 8));
  }
  return bytes;
}

}  // namespace kdumpkit
