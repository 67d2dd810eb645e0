// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/kdump_reader.h"

#include <algorithm>

namespace kdumpkit {
namespace {

// Notes of thousands of CPUs and device dumps included.
constexpr uint64_t kMaxPart = uint64_t{1} << 30;

// What of `ranges` is within the part.
std::vector<PhysRange> Cut(std::vector<PhysRange> ranges, const KdumpPart& part, uint64_t page) {
  std::vector<PhysRange> cut;
  for (const PhysRange& range : ranges) {
    uint64_t first = std::max(range.base.value, part.first * page);
    uint64_t end = std::min(range.end().value, part.end * page);
    if (first < end) cut.push_back({PhysAddr(first), end - first});
  }
  return cut;
}

class KdumpMemoryReader final : public MemoryReader {
 public:
  explicit KdumpMemoryReader(const KdumpReader& dump)
      : page_size_(dump.info().block_size()), pages_(dump) {}

  Result<ByteView> View(PhysAddr address, size_t size) override {
    if (size > kMaxView) return UsageError("a view of {} bytes is more than {}", size, kMaxView);
    uint64_t skip = address.value % page_size_;
    uint64_t count = (skip + size + page_size_ - 1) / page_size_;
    TRY(Load(Pfn(address.value / page_size_), count)
            .In(fmt::format("address {:#x}", address.value)));
    return ByteView(buffer_).subspan(skip, size);
  }

 private:
  // Has the buffer hold `count` pages from `first` on, those not dumped as zeros.
  Status Load(Pfn first, uint64_t count) {
    if (first == first_ && count == count_) return {};
    count_ = 0;  // Until all is read the buffer holds nothing.
    buffer_.assign(count * page_size_, std::byte{0});
    bool any = false;
    for (uint64_t i = 0; i < count; ++i) {
      ByteSpan page = ByteSpan(buffer_).subspan(i * page_size_, page_size_);
      PageState state = TRY(pages_.Read(first + i, page));
      if (state == PageState::kLost) return Truncated("page frame {:#x} was lost", first.value + i);
      any |= state == PageState::kRead;
    }
    if (!any) return Malformed("not in the dump");
    first_ = first;
    count_ = count;
    return {};
  }

  uint64_t page_size_;
  KdumpPageReader pages_;
  // The pages of the last view: reading a structure field by field decompresses its page once.
  ByteBuffer buffer_;
  Pfn first_;
  uint64_t count_ = 0;
};

}  // namespace

Result<std::unique_ptr<KdumpReader>> KdumpReader::Open(std::unique_ptr<DumpSource> source) {
  KdumpInfo info = TRY(ReadKdumpInfo(*source));
  RankedBitmap existing = TRY(RankedBitmap::Read(*source, info.bitmap_start(), info.max_mapnr));
  RankedBitmap dumped =
      TRY(RankedBitmap::Read(*source, info.bitmap_start() + info.bitmap_bytes(), info.max_mapnr));
  if (dumped.count() > (info.file_size - info.table_start().value) / kPageDescriptorSize)
    return Truncated("the file ends at offset {:#x}, within the {} page descriptors from {:#x} on",
                     info.file_size, dumped.count(), info.table_start().value);
  return std::unique_ptr<KdumpReader>(
      new KdumpReader(std::move(source), info, std::move(existing), std::move(dumped)));
}

Result<std::unique_ptr<KdumpReader>> KdumpReader::Open(UniqueFd fd) {
  return Open(std::unique_ptr<DumpSource>(TRY(FileSource::Open(std::move(fd)))));
}

KdumpReader::KdumpReader(std::unique_ptr<DumpSource> source, KdumpInfo info, RankedBitmap existing,
                         RankedBitmap dumped)
    : source_(std::move(source)),
      info_(std::move(info)),
      existing_(std::move(existing)),
      dumped_(std::move(dumped)),
      part_(info_.part.value_or(KdumpPart{0, info_.max_mapnr})),
      first_rank_(dumped_.Rank(Pfn(part_.first))),
      page_count_(dumped_.Rank(Pfn(part_.end)) - first_rank_),
      ranges_(Cut(dumped_in_all(), part_, info_.block_size())) {}

std::unique_ptr<MemoryReader> KdumpReader::NewReader() const {
  return std::make_unique<KdumpMemoryReader>(*this);
}

Result<PageDescriptor> KdumpReader::ReadDescriptor(Pfn pfn) const {
  CHECK(Dumped(pfn));
  return TRY(ReadDescriptors(NumberOf(pfn), 1)).front();
}

Result<std::vector<PageDescriptor>> KdumpReader::ReadDescriptors(uint64_t first,
                                                                 size_t count) const {
  ByteBuffer bytes(count * kPageDescriptorSize);
  TRY(source_->ReadFullyAt(DescriptorOffset(first), bytes).In("reading page descriptors"));
  std::vector<PageDescriptor> descriptors;
  for (size_t i = 0; i < count; ++i)
    descriptors.push_back(
        DecodePageDescriptor(ByteView(bytes).subspan(i * kPageDescriptorSize), info_.abi.order));
  return descriptors;
}

Result<ByteBuffer> KdumpReader::ReadPart(uint64_t offset, uint64_t size) const {
  if (size > kMaxPart) return Unsupported("{} bytes at offset {:#x} are too many", size, offset);
  ByteBuffer bytes(size);
  TRY(source_->ReadFullyAt(FileOffset(offset), bytes));
  return bytes;
}

Result<ByteBuffer> KdumpReader::Notes() const {
  return ReadPart(info_.sub_header.offset_note, info_.sub_header.size_note).In("reading the notes");
}

Result<ByteBuffer> KdumpReader::Vmcoreinfo() const {
  return ReadPart(info_.sub_header.offset_vmcoreinfo, info_.sub_header.size_vmcoreinfo)
      .In("reading VMCOREINFO");
}

Result<ByteBuffer> KdumpReader::Eraseinfo() const {
  return ReadPart(info_.sub_header.offset_eraseinfo, info_.sub_header.size_eraseinfo)
      .In("reading the record of erased data");
}

Result<PageState> KdumpPageReader::Read(Pfn pfn, ByteSpan out) {
  CHECK(out.size() == dump_->info().block_size());
  if (!dump_->Dumped(pfn)) return PageState::kNotDumped;
  PageDescriptor descriptor = TRY(dump_->ReadDescriptor(pfn));
  if (descriptor.offset == 0 && dump_->info().incomplete()) return PageState::kLost;
  Status status = ReadData(descriptor, out);
  if (status) return PageState::kRead;
  return std::move(status.error())
      .In(fmt::format("page frame {:#x}, descriptor at offset {:#x}", pfn.value,
                      dump_->DescriptorOffset(dump_->NumberOf(pfn)).value));
}

Status KdumpReader::CheckDescriptor(const PageDescriptor& descriptor) const {
  FileOffset data_start = DescriptorOffset(page_count_in_all());
  if (descriptor.offset < data_start.value)
    return Malformed("offset {:#x} is not that of page data", descriptor.offset);
  if (descriptor.size == 0 || descriptor.size > info_.block_size())
    return Malformed("size {:#x} is not that of a page", descriptor.size);
  if (descriptor.offset > info_.file_size || descriptor.size > info_.file_size - descriptor.offset)
    return Truncated("the file ends at offset {:#x}, before the {} bytes at {:#x}", info_.file_size,
                     descriptor.size, descriptor.offset);
  if (!IsCodecFlag(descriptor.flags))
    return Malformed("flags {:#x} name no codec", descriptor.flags);
  return {};
}

Status KdumpReader::ReadPacked(const PageDescriptor& descriptor, ByteSpan out) const {
  return source_->ReadFullyAt(FileOffset(descriptor.offset), out.first(descriptor.size));
}

Status KdumpPageReader::ReadData(const PageDescriptor& descriptor, ByteSpan out) {
  TRY(dump_->CheckDescriptor(descriptor));
  ByteSpan data = ByteSpan(compressed_).first(descriptor.size);
  TRY(dump_->ReadPacked(descriptor, data));
  return decompressor_.Decompress(descriptor.flags, data, out);
}

}  // namespace kdumpkit
