// SPDX-License-Identifier: GPL-2.0-or-later
#include "filter/pipeline.h"

#include <condition_variable>
#include <thread>

#include "filter/page_batches.h"

namespace kdumpkit {
namespace {

// A batch after compression: what is to be written, offsets still relative to its own data.
struct PackedBatch {
  std::vector<PageDescriptor> descriptors;
  ByteBuffer data;  // allocated once for the worst case
  size_t used = 0;
  uint64_t zero_pages = 0;
  std::vector<PhysRange> unreadable;
  std::string unreadable_reason;
};

// Marks, until data offsets are known, a descriptor that points at the shared page of zeros.
constexpr uint64_t kSharedZero = UINT64_MAX;
// … and one of a page that could not be read: it stays all zero in the file.
constexpr uint64_t kHole = UINT64_MAX - 1;

// Reads and compresses batches; one per thread.
class Packer {
 public:
  static Result<Packer> Make(const MemorySource& source, const PipelineOptions& options) {
    std::unique_ptr<Compressor> compressor =
        TRY(Compressor::Make(options.codec, options.page_size, options.compress_level));
    return Packer(source.NewReader(), std::move(compressor), options);
  }

  const PackedBatch& Pack(const PageBatch& batch) {
    packed_.descriptors.clear();
    packed_.unreadable.clear();
    packed_.unreadable_reason.clear();
    packed_.used = 0;
    packed_.zero_pages = 0;
    for (uint64_t pfn : batch.pfns) packed_.descriptors.push_back(PackPage(pfn));
    return packed_;
  }

 private:
  Packer(std::unique_ptr<MemoryReader> reader, std::unique_ptr<Compressor> compressor,
         const PipelineOptions& options)
      : reader_(std::move(reader)),
        compressor_(std::move(compressor)),
        codec_flag_(CodecFlag(options.codec)),
        page_size_(options.page_size) {
    size_t slot = std::max<size_t>(compressor_->bound(), page_size_);
    packed_.data.resize(PageBatches::kPages * page_size_ + slot);
    packed_.descriptors.reserve(PageBatches::kPages);
  }

  PageDescriptor PackPage(uint64_t pfn) {
    PhysAddr address(pfn * page_size_);
    Result<ByteView> page = reader_->View(address, page_size_);
    if (!page) {
      packed_.unreadable.push_back({address, page_size_});
      if (packed_.unreadable_reason.empty()) packed_.unreadable_reason = page.error().message();
      return {kHole, 0, 0};
    }
    if (IsZero(*page)) {
      ++packed_.zero_pages;
      return {kSharedZero, static_cast<uint32_t>(page_size_), 0};
    }
    ByteSpan out = ByteSpan(packed_.data).subspan(packed_.used);
    size_t size = compressor_->Compress(*page, out);
    uint32_t flags = size == 0 ? 0 : codec_flag_;
    if (size == 0) {
      std::copy(page->begin(), page->end(), out.begin());
      size = page_size_;
    }
    uint64_t at = packed_.used;
    packed_.used += size;
    return {at, static_cast<uint32_t>(size), flags};
  }

  std::unique_ptr<MemoryReader> reader_;
  std::unique_ptr<Compressor> compressor_;
  uint32_t codec_flag_;
  size_t page_size_;
  PackedBatch packed_;
};

// Gives packed batches their places, strictly in order of batch number, and adds up the result.
class Ledger {
 public:
  Ledger(FileOffset data_start, const PipelineOptions& options)
      : zero_page_(data_start),
        before_(options.pages_before),
        end_(data_start + options.page_size),
        progress_(options.progress) {}

  // Waits until all earlier batches have their place, then returns the offset of this one's data.
  // Absent when the pipeline has ended early.
  std::optional<FileOffset> Place(uint64_t number, const PackedBatch& packed) {
    std::unique_lock lock(mutex_);
    turn_.wait(lock, [&] { return next_ == number || ended_; });
    if (ended_) return std::nullopt;
    FileOffset at = end_;
    end_ = end_ + packed.used;
    ++next_;
    Count(packed);
    lock.unlock();
    turn_.notify_all();
    return at;
  }

  // Ends the pipeline for every thread; the first reason stays.
  void End(std::optional<Error> failure) {
    std::lock_guard lock(mutex_);
    if (!ended_) {
      result_.failure = std::move(failure);
      result_.stopped = !result_.failure;
    }
    ended_ = true;
    turn_.notify_all();
  }
  bool ended() {
    std::lock_guard lock(mutex_);
    return ended_;
  }

  void Written(const PackedBatch& packed) {
    std::lock_guard lock(mutex_);
    written_ += packed.descriptors.size();
    result_.pages += packed.descriptors.size() - packed.unreadable.size();
    if (progress_ != nullptr) progress_->Update(before_ + written_);
  }

  FileOffset zero_page() const { return zero_page_; }
  PipelineResult Take() {
    if (progress_ != nullptr) progress_->Finish(before_ + written_);
    result_.data_bytes = end_ - zero_page_;
    return std::move(result_);
  }

 private:
  void Count(const PackedBatch& packed) {
    result_.zero_pages += packed.zero_pages;
    result_.unreadable_pages += packed.unreadable.size();
    if (result_.unreadable_reason.empty()) result_.unreadable_reason = packed.unreadable_reason;
    for (const PhysRange& page : packed.unreadable) {
      std::vector<PhysRange>& ranges = result_.unreadable;
      if (!ranges.empty() && ranges.back().end() == page.base) {
        ranges.back().size += page.size;
      } else if (ranges.size() < kMaxUnreadableRanges) {
        ranges.push_back(page);
      }
    }
  }

  const FileOffset zero_page_;
  const uint64_t before_;
  std::mutex mutex_;
  std::condition_variable turn_;
  uint64_t next_ = 0;
  uint64_t written_ = 0;
  FileOffset end_;
  bool ended_ = false;
  Progress* progress_;
  PipelineResult result_;
};

void ResolveOffsets(const PackedBatch& packed, FileOffset data, FileOffset zero_page,
                    std::vector<PageDescriptor>& descriptors) {
  descriptors = packed.descriptors;
  for (PageDescriptor& descriptor : descriptors) {
    if (descriptor.offset == kHole) {
      descriptor = {};
    } else if (descriptor.offset == kSharedZero) {
      descriptor.offset = zero_page.value;
    } else {
      descriptor.offset += data.value;
    }
  }
}

// What each thread does until the pages or the will to go on run out.
void Work(Packer& packer, PageBatches& batches, Ledger& ledger, const DumpWriter* writer,
          const std::atomic<bool>* stop) {
  PageBatch batch;
  std::vector<PageDescriptor> descriptors;
  while (!ledger.ended()) {
    if (stop != nullptr && stop->load(std::memory_order_relaxed)) return ledger.End(std::nullopt);
    if (!batches.Next(batch)) return;
    const PackedBatch& packed = packer.Pack(batch);
    std::optional<FileOffset> data = ledger.Place(batch.number, packed);
    if (!data) return;
    if (writer != nullptr) {
      ResolveOffsets(packed, *data, ledger.zero_page(), descriptors);
      ByteView bytes = ByteView(packed.data).first(packed.used);
      Status written = writer->WritePages(batch.first_index, descriptors, *data, bytes);
      if (!written) return ledger.End(std::move(written.error()));
    }
    ledger.Written(packed);
  }
}

}  // namespace

Result<PipelineResult> StreamPages(const MemorySource& source, const PageBitmap& kept,
                                   const DumpWriter* writer, const PipelineOptions& options) {
  std::vector<Packer> packers;
  for (int i = 0; i < options.threads; ++i) packers.push_back(TRY(Packer::Make(source, options)));
  FileOffset data_start = writer != nullptr ? writer->data_start() : FileOffset(0);
  Ledger ledger(data_start, options);
  if (writer != nullptr) {
    ByteBuffer zeros(options.page_size);
    TRY(writer->WritePages(0, {}, data_start, zeros));
  }
  PageBatches batches(kept, options.frames);
  std::vector<std::thread> workers;
  for (size_t i = 1; i < packers.size(); ++i)
    workers.emplace_back([&, i] { Work(packers[i], batches, ledger, writer, options.stop); });
  Work(packers[0], batches, ledger, writer, options.stop);
  for (std::thread& worker : workers) worker.join();
  return ledger.Take();
}

}  // namespace kdumpkit
