// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/kdump_writer.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace kdumpkit {
namespace {

constexpr uint64_t kHeaderVersion = 6;
constexpr uint64_t kMaxU32 = std::numeric_limits<uint32_t>::max();
constexpr uint64_t kMaxI32 = std::numeric_limits<int32_t>::max();
// Far more than any note segment; keeps the sums below from overflowing.
constexpr size_t kMaxNotes = size_t{1} << 30;

uint64_t DivideUp(uint64_t value, uint64_t divisor) {
  return value / divisor + (value % divisor != 0 ? 1 : 0);
}

// Blocks of one bitmap.
uint64_t BitmapBlocks(const KdumpParameters& parameters) {
  return DivideUp(DivideUp(parameters.max_mapnr, 8), parameters.block_size);
}

Status CheckParameters(const KdumpParameters& p, uint64_t page_count) {
  if (!std::has_single_bit(p.block_size) || p.block_size < kMinKdumpBlock ||
      p.block_size > kMaxKdumpBlock)
    return Unsupported("page size {} does not fit a kdump file", p.block_size);
  if (p.max_mapnr == 0) return Unsupported("there is no memory to dump");
  if (BitmapBlocks(p) > kMaxU32 / 2)
    return Unsupported("{:#x} page frames do not fit a kdump file", p.max_mapnr);
  if (page_count > p.max_mapnr)
    return UsageError("{} pages to dump of {} page frames", page_count, p.max_mapnr);
  if (p.part && (p.part->first > p.part->end || p.part->end > p.max_mapnr ||
                 p.part_pages > page_count || p.part_pages > p.part->end - p.part->first))
    return UsageError("{} pages in the part from {:#x} to {:#x} of {:#x} page frames", p.part_pages,
                      p.part->first, p.part->end, p.max_mapnr);
  if (p.notes.size() > kMaxNotes) return Unsupported("{} bytes of notes", p.notes.size());
  if (p.eraseinfo.size() > kMaxNotes)
    return Unsupported("{} bytes of erase record", p.eraseinfo.size());
  if (p.vmcoreinfo_offset > p.notes.size() ||
      p.vmcoreinfo_size > p.notes.size() - p.vmcoreinfo_offset)
    return UsageError("VMCOREINFO is not within the notes");
  return {};
}

KdumpSubHeader MakeSubHeader(const KdumpParameters& p) {
  uint64_t notes_at = p.block_size + KdumpSubHeaderSize(p.abi);
  KdumpSubHeader header;
  header.phys_base = p.phys_base;
  header.dump_level = static_cast<uint64_t>(p.dump_level);
  header.max_mapnr_64 = p.max_mapnr;
  if (p.part) {
    header.split = 1;
    header.start_pfn = header.start_pfn_64 = p.part->first;
    header.end_pfn = header.end_pfn_64 = p.part->end;
  }
  if (p.vmcoreinfo_size > 0) {
    header.offset_vmcoreinfo = notes_at + p.vmcoreinfo_offset;
    header.size_vmcoreinfo = p.vmcoreinfo_size;
  }
  if (!p.notes.empty()) {
    header.offset_note = notes_at;
    header.size_note = p.notes.size();
  }
  if (!p.eraseinfo.empty()) {
    header.offset_eraseinfo = notes_at + p.notes.size();
    header.size_eraseinfo = p.eraseinfo.size();
  }
  return header;
}

KdumpHeader MakeHeader(const KdumpParameters& p, size_t sub_header_bytes) {
  KdumpHeader header;
  header.header_version = kHeaderVersion;
  header.utsname = p.utsname;
  header.tv_sec = p.crash_time;
  header.status = CodecFlag(p.codec) | p.status;
  header.block_size = p.block_size;
  header.sub_hdr_size = DivideUp(sub_header_bytes, p.block_size);
  header.bitmap_blocks = 2 * BitmapBlocks(p);
  header.max_mapnr = std::min(p.max_mapnr, kMaxU32);
  header.nr_cpus = std::min<uint64_t>(p.cpu_count, kMaxI32);
  return header;
}

}  // namespace

Result<KdumpWriter> KdumpWriter::Create(int fd, const KdumpParameters& parameters,
                                        uint64_t page_count) {
  return Create(std::make_unique<FileSink>(fd), parameters, page_count);
}

Result<KdumpWriter> KdumpWriter::Create(std::unique_ptr<DumpSink> sink,
                                        const KdumpParameters& parameters, uint64_t page_count) {
  TRY(CheckParameters(parameters, page_count));
  KdumpWriter writer;
  writer.sink_ = std::move(sink);
  writer.abi_ = parameters.abi;
  writer.page_count_ = page_count;
  writer.own_pages_ = parameters.part ? parameters.part_pages : page_count;
  writer.sub_header_ = EncodeKdumpSubHeader(MakeSubHeader(parameters), parameters.abi);
  writer.sub_header_.insert(writer.sub_header_.end(), parameters.notes.begin(),
                            parameters.notes.end());
  writer.sub_header_.insert(writer.sub_header_.end(), parameters.eraseinfo.begin(),
                            parameters.eraseinfo.end());
  writer.header_ = MakeHeader(parameters, writer.sub_header_.size());
  writer.sink_->Announce(writer.EncodeHeader(false));
  return writer;
}

FileOffset KdumpWriter::bitmap_start() const {
  return FileOffset((1 + header_.sub_hdr_size) * header_.block_size);
}

uint64_t KdumpWriter::bitmap_bytes() const {
  return header_.bitmap_blocks / 2 * header_.block_size;
}

FileOffset KdumpWriter::table_start() const { return bitmap_start() + 2 * bitmap_bytes(); }

FileOffset KdumpWriter::data_start() const {
  return table_start() + page_count_ * kPageDescriptorSize;
}

Status KdumpWriter::WriteBitmap(Bitmap which, uint64_t first_byte, ByteView bytes) {
  CHECK(first_byte <= bitmap_bytes() && bytes.size() <= bitmap_bytes() - first_byte);
  FileOffset start = bitmap_start() + (which == Bitmap::kDumped ? bitmap_bytes() : 0);
  return sink_->WriteAt(start + first_byte, bytes).In("writing the page bitmap");
}

ByteBuffer KdumpWriter::EncodeHeader(bool complete) const {
  KdumpHeader header = header_;
  if (!complete) header.status |= kKdumpIncomplete;
  return EncodeKdumpHeader(header, abi_);
}

Status KdumpWriter::WriteHeader(bool complete) const {
  ByteBuffer bytes = EncodeHeader(complete);
  bytes.resize(header_.block_size);
  return sink_->WriteAt(FileOffset(0), bytes).In("writing the dump header");
}

Status KdumpWriter::BeginData() {
  // Whole blocks, so that a stream has no gap here.
  ByteBuffer blocks = sub_header_;
  blocks.resize(header_.sub_hdr_size * header_.block_size);
  TRY(sink_->WriteAt(FileOffset(header_.block_size), blocks).In("writing the notes"));
  FileOffset end = table_start() + own_pages_ * kPageDescriptorSize;
  TRY(sink_->Reserve(table_start(), end).In("no room for the page descriptors"));
  // Places of the other parts' descriptors are a hole.
  const std::byte last{};
  if (own_pages_ < page_count_)
    TRY(sink_->WriteAt(FileOffset(data_start().value - 1), {&last, 1})
            .In("extending the descriptor table"));
  return sink_->rewritable() ? WriteHeader(false) : Status();
}

Status KdumpWriter::WritePages(uint64_t first_index, std::span<const PageDescriptor> descriptors,
                               FileOffset data_offset, ByteView data) const {
  CHECK(first_index <= own_pages_ && descriptors.size() <= own_pages_ - first_index);
  CHECK(data.empty() || data_offset >= data_start());
  TRY(sink_->WriteAt(data_offset, data).In("writing page data"));
  ByteBuffer bytes(descriptors.size() * kPageDescriptorSize);
  for (size_t i = 0; i < descriptors.size(); ++i)
    EncodePageDescriptor(descriptors[i], abi_.order,
                         ByteSpan(bytes).subspan(i * kPageDescriptorSize));
  FileOffset at = table_start() + first_index * kPageDescriptorSize;
  Status written = sink_->WriteAt(at, bytes);
  if (written) return {};
  if (!sink_->rewritable()) return std::move(written).In("writing page descriptors");
  // A descriptor may be cut in two and would look corrupt; zeros over what was written make these
  // pages holes. The first failure is the one to report.
  std::fill(bytes.begin(), bytes.end(), std::byte{0});
  (void)sink_->WriteAt(at, bytes).has_value();
  return std::move(written).In("writing page descriptors");
}

Status KdumpWriter::Finish(bool complete) const {
  TRY(WriteHeader(complete));
  return sink_->End();
}

}  // namespace kdumpkit
