// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/split.h"

#include <algorithm>

namespace kdumpkit {
namespace {

constexpr uint64_t kMostSamples = 4096;
constexpr uint64_t kDescriptorBytes = 24;

// The page frames of kept pages by their number among them; `numbers` ascend.
std::vector<uint64_t> FramesOf(const PageBitmap& kept, const std::vector<uint64_t>& numbers) {
  std::vector<uint64_t> frames;
  uint64_t before = 0;  // kept pages before `run`
  std::optional<PfnRun> run = kept.NextRun(0);
  for (uint64_t number : numbers) {
    while (run && number - before >= run->end - run->first) {
      before += run->end - run->first;
      run = kept.NextRun(run->end);
    }
    frames.push_back(run ? run->first + (number - before) : kept.pages());
  }
  return frames;
}

// Bytes that a page takes in a dump, with its descriptor. One that cannot be read takes none.
class Scales {
 public:
  static Result<Scales> Make(const MemorySource& memory, const SplitOptions& options) {
    std::unique_ptr<Compressor> compressor =
        TRY(Compressor::Make(options.codec, options.page_size, options.compress_level));
    return Scales(memory.NewReader(), std::move(compressor), options.page_size);
  }

  uint64_t Weigh(uint64_t frame) {
    Result<ByteView> page = reader_->View(PhysAddr(frame * page_size_), page_size_);
    if (!page || IsZero(*page)) return kDescriptorBytes;
    size_t size = compressor_->Compress(*page, buffer_);
    return kDescriptorBytes + (size == 0 ? page_size_ : size);
  }

 private:
  Scales(std::unique_ptr<MemoryReader> reader, std::unique_ptr<Compressor> compressor,
         uint64_t page_size)
      : reader_(std::move(reader)),
        compressor_(std::move(compressor)),
        page_size_(page_size),
        buffer_(std::max<uint64_t>(compressor_->bound(), page_size)) {}

  std::unique_ptr<MemoryReader> reader_;
  std::unique_ptr<Compressor> compressor_;
  uint64_t page_size_;
  ByteBuffer buffer_;
};

// Numbers of the pages at which parts 1, 2 … begin. Sample i stands for pages from i * step on.
std::vector<uint64_t> CutsOf(const std::vector<uint64_t>& weights, uint64_t step, size_t parts) {
  double total = 0;
  for (uint64_t weight : weights) total += static_cast<double>(weight);
  std::vector<uint64_t> cuts;
  double before = 0;  // weight of the samples before `i`
  size_t i = 0;
  for (size_t part = 1; part < parts; ++part) {
    double wanted = total * static_cast<double>(part) / static_cast<double>(parts);
    while (i < weights.size() && before + static_cast<double>(weights[i]) <= wanted)
      before += static_cast<double>(weights[i++]);
    double within = i < weights.size() ? (wanted - before) / static_cast<double>(weights[i]) : 0;
    cuts.push_back(i * step + static_cast<uint64_t>(within * static_cast<double>(step)));
  }
  return cuts;
}

}  // namespace

Result<std::vector<PfnRun>> CutIntoParts(const MemorySource& memory, const PageBitmap& kept,
                                         const SplitOptions& options) {
  Scales scales = TRY(Scales::Make(memory, options));
  uint64_t pages = kept.CountAll();
  uint64_t step = std::max<uint64_t>(1, pages / kMostSamples + (pages % kMostSamples != 0 ? 1 : 0));
  std::vector<uint64_t> numbers, weights;
  for (uint64_t first = 0; first < pages; first += step)
    numbers.push_back(first + std::min(step, pages - first) / 2);
  for (uint64_t frame : FramesOf(kept, numbers)) weights.push_back(scales.Weigh(frame));
  std::vector<PfnRun> parts;
  uint64_t begin = 0;
  for (uint64_t frame : FramesOf(kept, CutsOf(weights, step, options.parts))) {
    uint64_t half_up = frame + options.block_pages / 2;
    uint64_t cut = std::clamp(half_up - half_up % options.block_pages, begin, options.frames);
    parts.push_back({begin, cut});
    begin = cut;
  }
  parts.push_back({begin, options.frames});
  return parts;
}

}  // namespace kdumpkit
