// SPDX-License-Identifier: GPL-2.0-or-later
// Reads a kdump-compressed file, of whichever machine: its headers, its pages, its memory.
#pragma once

#include "base/memory_source.h"
#include "base/unique_fd.h"
#include "dumpfile/codec.h"
#include "dumpfile/dump_source.h"
#include "dumpfile/kdump_info.h"
#include "dumpfile/ranked_bitmap.h"

namespace kdumpkit {

// As memory, the dumped pages are what exists; page frame n is the memory from n * block_size on.
// (Dumps of 32-bit ARM count page frames from phys_base; nothing in the file says so.)
// Of a part of a split dump, the pages of the other parts are no more there than if they were left
// out.
class KdumpReader final : public MemorySource {
 public:
  // Every header field is validated, the bitmaps and the descriptor table are within the file.
  // Needs max_mapnr / 4 bits of memory.
  static Result<std::unique_ptr<KdumpReader>> Open(std::unique_ptr<DumpSource> source);
  static Result<std::unique_ptr<KdumpReader>> Open(UniqueFd fd);

  const KdumpInfo& info() const { return info_; }
  bool Exists(Pfn pfn) const { return existing_.Test(pfn); }                        // bitmap 1
  bool Dumped(Pfn pfn) const { return part_.Has(pfn.value) && dumped_.Test(pfn); }  // bitmap 2
  // Bitmap 1 as memory.
  std::vector<PhysRange> existing() const { return existing_.Ranges(info_.block_size()); }
  uint64_t page_count() const { return page_count_; }  // of dumped pages
  // Bitmap 2 as memory, and its count: those of all parts of a split dump.
  std::vector<PhysRange> dumped_in_all() const { return dumped_.Ranges(info_.block_size()); }
  uint64_t page_count_in_all() const { return dumped_.count(); }

  // The descriptor of a dumped page as it stands in the file.
  Result<PageDescriptor> ReadDescriptor(Pfn pfn) const;
  // Several, from the one with this number in the table on.
  Result<std::vector<PageDescriptor>> ReadDescriptors(uint64_t first, size_t count) const;
  FileOffset DescriptorOffset(uint64_t number) const {
    return info_.table_start() + number * kPageDescriptorSize;
  }
  // Its data lie where they can, and are packed in a way that is known.
  Status CheckDescriptor(const PageDescriptor& descriptor) const;

  // The data of a page as they are packed; `out` has the descriptor's size.
  Status ReadPacked(const PageDescriptor& descriptor, ByteSpan out) const;

  // Contents of the note segment, the VMCOREINFO text, the record of erased data; empty when the
  // file has none.
  Result<ByteBuffer> Notes() const;
  Result<ByteBuffer> Vmcoreinfo() const;
  Result<ByteBuffer> Eraseinfo() const;

  // So that what is read next comes from the device.
  void DropCache() const { source_->DropCache(); }

  std::span<const PhysRange> ranges() const override { return ranges_; }
  std::unique_ptr<MemoryReader> NewReader() const override;

 private:
  friend class KdumpPageReader;
  KdumpReader(std::unique_ptr<DumpSource> source, KdumpInfo info, RankedBitmap existing,
              RankedBitmap dumped);
  Result<ByteBuffer> ReadPart(uint64_t offset, uint64_t size) const;
  uint64_t NumberOf(Pfn pfn) const { return dumped_.Rank(pfn) - first_rank_; }

  std::unique_ptr<DumpSource> source_;
  KdumpInfo info_;
  RankedBitmap existing_;
  RankedBitmap dumped_;
  KdumpPart part_;           // all page frames of a dump that is not split
  uint64_t first_rank_ = 0;  // pages of earlier parts
  uint64_t page_count_ = 0;
  std::vector<PhysRange> ranges_;
};

enum class PageState {
  kRead,
  kNotDumped,  // left out on purpose, or no memory
  kLost,       // meant to be in the dump, but it could not be read or written
};

// Reads pages for one thread; any number of these may use one KdumpReader, which must outlive them.
class KdumpPageReader {
 public:
  explicit KdumpPageReader(const KdumpReader& dump)
      : dump_(&dump), compressed_(dump.info().block_size()) {}

  // Fills `out` (block_size bytes) when the result is kRead. A corrupt page is kMalformed, one
  // beyond the end of the file kTruncated; both errors name the page frame and its descriptor.
  Result<PageState> Read(Pfn pfn, ByteSpan out);
  // The page of a descriptor; without the name of one in the errors.
  Status ReadData(const PageDescriptor& descriptor, ByteSpan out);

 private:
  const KdumpReader* dump_;
  Decompressor decompressor_;
  ByteBuffer compressed_;
};

}  // namespace kdumpkit
