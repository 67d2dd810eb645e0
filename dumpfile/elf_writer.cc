// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpfile/elf_writer.h"

#include <algorithm>
#include <limits>

#include "elf/core_flags.h"

namespace kdumpkit {
namespace {

// System V gABI, "ELF Header" and "Program Header"; numbers of <elf.h>.
constexpr uint16_t kTypeCore = 4;           // ET_CORE
constexpr uint16_t kManyPrograms = 0xffff;  // PN_XNUM: the count stands in section header 0
constexpr uint32_t kLoad = 1, kNote = 4;    // PT_LOAD, PT_NOTE
constexpr uint32_t kReadWriteExecute = 7;

constexpr uint64_t kMaxU32 = std::numeric_limits<uint32_t>::max();
// Room for the segments that lost pages cut in two.
constexpr uint64_t kSpare = 256;
// As many as kdumpkit itself reads (elf/headers.cc); the headers take 56 MiB then.
constexpr uint64_t kMostSegments = (uint64_t{1} << 20) - kSpare - 1;

struct Sizes {
  uint16_t header, program, section;
};
constexpr Sizes kWide = {64, 56, 64}, kNarrow = {52, 32, 40};

const Sizes& SizesOf(bool wide) { return wide ? kWide : kNarrow; }

uint64_t RoundUp(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

// A field as wide as an address of the file's class.
void PutWord(ByteWriter& out, bool wide, uint64_t value) {
  if (wide)
    out.Put(value);
  else
    out.Put(static_cast<uint32_t>(value));
}

void PutIdent(ByteWriter& out, bool wide, ByteOrder order) {
  out.PutBytes(AsBytes("\177ELF"));
  out.Put(static_cast<uint8_t>(wide ? 2 : 1));                         // EI_CLASS
  out.Put(static_cast<uint8_t>(order == ByteOrder::kLittle ? 1 : 2));  // EI_DATA
  out.Put(uint8_t{1});                                                 // EI_VERSION
  out.PadTo(16);
}

// Number 0, which holds what the ELF header has no room for.
void PutSection(ByteWriter& out, bool wide, uint64_t programs) {
  size_t begin = out.size();
  out.PadTo(begin + (wide ? 44 : 28));  // to sh_info
  out.Put(static_cast<uint32_t>(programs));
  out.PadTo(begin + SizesOf(wide).section);
}

}  // namespace

ElfWriter::ElfWriter(std::unique_ptr<DumpSink> sink, ElfParameters parameters, uint64_t page_count)
    : sink_(std::move(sink)),
      parameters_(std::move(parameters)),
      notes_(parameters_.notes.begin(), parameters_.notes.end()),
      page_count_(page_count),
      present_(page_count) {}

Result<std::unique_ptr<ElfWriter>> ElfWriter::Create(std::unique_ptr<DumpSink> sink,
                                                     ElfParameters parameters,
                                                     uint64_t page_count) {
  if (parameters.segments.empty()) return Unsupported("there is no memory to dump");
  if (parameters.segments.size() > kMostSegments)
    return Unsupported(
        "what is left of memory at this level is in {} pieces, more than the {} segments that an "
        "ELF core can have; write a kdump file (without -E), or choose a lower level",
        parameters.segments.size(), kMostSegments);
  std::unique_ptr<ElfWriter> writer(
      new ElfWriter(std::move(sink), std::move(parameters), page_count));
  writer->LayOut();
  if (writer->parameters_.word_size == 4) {
    writer->wide_ = false;
    writer->LayOut();
    writer->wide_ = !writer->FitsElf32();
    writer->LayOut();
  }
  writer->sink_->Announce(writer->EncodeHeader(
      {SizesOf(writer->wide_).header, writer->parameters_.segments.size() + 1}, false));
  return writer;
}

uint64_t ElfWriter::room() const { return parameters_.segments.size() + 1 + kSpare; }

const ElfRun& ElfWriter::RunOf(uint64_t number) const {
  auto after = std::ranges::upper_bound(parameters_.runs, number, {}, &ElfRun::first_page);
  CHECK(after != parameters_.runs.begin());
  return *std::prev(after);
}

FileOffset ElfWriter::PageOffset(uint64_t number) const {
  if (parameters_.runs.empty()) return data_start_;
  const ElfRun& run = RunOf(number);
  return data_start_ + (run.place + (number - run.first_page)) * parameters_.page_size;
}

FileOffset ElfWriter::DataEnd() const {
  return page_count_ == 0 ? data_start_ : PageOffset(page_count_ - 1) + parameters_.page_size;
}

void ElfWriter::LayOut() {
  const Sizes& sizes = SizesOf(wide_);
  notes_offset_ = RoundUp(sizes.header + room() * sizes.program + sizes.section, 8);
  data_start_ = FileOffset(RoundUp(notes_offset_ + notes_.size(), parameters_.page_size));
}

bool ElfWriter::FitsElf32() const {
  if (DataEnd().value > kMaxU32) return false;
  return std::ranges::all_of(parameters_.segments, [](const ElfSegment& segment) {
    return segment.paddr.value + segment.memory_size <= kMaxU32 && segment.vaddr.value <= kMaxU32;
  });
}

ByteBuffer ElfWriter::EncodeHeader(const Table& table, bool complete) const {
  const Sizes& sizes = SizesOf(wide_);
  bool many = table.count >= kManyPrograms;
  ByteWriter out(parameters_.order);
  PutIdent(out, wide_, parameters_.order);
  out.Put(kTypeCore);
  out.Put(parameters_.machine);
  out.Put(uint32_t{1});    // e_version
  PutWord(out, wide_, 0);  // e_entry
  PutWord(out, wide_, table.offset);
  PutWord(out, wide_, many ? table.offset + table.count * sizes.program : 0);  // e_shoff
  out.Put(complete ? uint32_t{0} : IncompleteFlag(parameters_.machine).value_or(0));
  out.Put(sizes.header);
  out.Put(sizes.program);
  out.Put(many ? kManyPrograms : static_cast<uint16_t>(table.count));
  out.Put(many ? sizes.section : uint16_t{0});
  out.Put(static_cast<uint16_t>(many ? 1 : 0));  // e_shnum
  out.Put(uint16_t{0});                          // e_shstrndx
  return std::move(out).Take();
}

void ElfWriter::PutProgram(ByteWriter& out, uint32_t type, const ElfSegment& segment,
                           uint64_t offset) const {
  uint32_t flags = type == kLoad ? kReadWriteExecute : 0;
  out.Put(type);
  if (wide_) out.Put(flags);
  for (uint64_t value :
       {offset, segment.vaddr.value, segment.paddr.value, segment.file_size, segment.memory_size})
    PutWord(out, wide_, value);
  if (!wide_) out.Put(flags);
  PutWord(out, wide_, 0);  // p_align: as Linux has it in /proc/vmcore
}

ByteBuffer ElfWriter::EncodeTable(std::span<const ElfSegment> segments) const {
  ByteWriter out(parameters_.order);
  PutProgram(out, kNote, {{}, {}, notes_.size(), notes_.size(), 0}, notes_offset_);
  for (const ElfSegment& segment : segments)
    PutProgram(out, kLoad, segment,
               PageOffset(segment.first_page).value + segment.paddr.value % parameters_.page_size);
  if (segments.size() + 1 >= kManyPrograms) PutSection(out, wide_, segments.size() + 1);
  return std::move(out).Take();
}

Status ElfWriter::Begin() const {
  const Sizes& sizes = SizesOf(wide_);
  ByteBuffer rest = EncodeTable(parameters_.segments);
  rest.resize(notes_offset_ - sizes.header);
  rest.insert(rest.end(), notes_.begin(), notes_.end());
  rest.resize(data_start_.value - sizes.header);
  TRY(sink_->WriteAt(FileOffset(sizes.header), rest).In("writing program headers and notes"));
  if (!sink_->rewritable()) return {};
  return sink_
      ->WriteAt(FileOffset(0), EncodeHeader({sizes.header, parameters_.segments.size() + 1}, false))
      .In("writing the ELF header");
}

// Pages that follow each other by number, which their places need not.
Status ElfWriter::WriteRun(uint64_t number, ByteView data) const {
  while (!data.empty()) {
    const ElfRun& run = RunOf(number);
    uint64_t end = &run == &parameters_.runs.back() ? page_count_ : (&run)[1].first_page;
    size_t size = std::min<uint64_t>(data.size(), (end - number) * parameters_.page_size);
    TRY(sink_->WriteAt(PageOffset(number), data.first(size)).In("writing page data"));
    data = data.subspan(size);
    number = end;
  }
  return {};
}

Status ElfWriter::WritePages(uint64_t first_index, std::span<const PageDescriptor> descriptors,
                             FileOffset data_offset, ByteView data) const {
  size_t page = parameters_.page_size;
  CHECK(first_index <= page_count_ && descriptors.size() <= page_count_ - first_index);
  size_t used = 0;
  for (size_t i = 0; i < descriptors.size();) {
    // Pages with data, one behind the other, go out at once.
    size_t end = i;
    while (end < descriptors.size() && descriptors[end].size != 0 &&
           descriptors[end].offset >= data_offset.value)
      ++end;
    if (end > i) {
      size_t size = (end - i) * page;
      CHECK(used + size <= data.size());
      TRY(WriteRun(first_index + i, data.subspan(used, size)));
      used += size;
    }
    i = std::max(end, i + 1);
  }
  CHECK(descriptors.empty() || used == data.size());
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < descriptors.size(); ++i) {
    if (descriptors[i].size == 0) continue;
    present_[first_index + i] = true;
    ++present_count_;
    uint64_t& end = descriptors[i].offset < data_offset.value ? zeros_end_ : data_end_;
    end = std::max(end, first_index + i + 1);
  }
  return {};
}

void ElfWriter::EndWithZeros() const {
  if (zeros_end_ <= data_end_) return;
  if (WriteRun(zeros_end_ - 1, ByteBuffer(parameters_.page_size))) return;
  for (uint64_t number = data_end_; number < zeros_end_; ++number) {
    if (!present_[number]) continue;
    present_[number] = false;
    --present_count_;
  }
}

void ElfWriter::Cut(const ElfSegment& segment, std::vector<ElfSegment>& pieces) const {
  uint64_t page = parameters_.page_size;
  ElfSegment piece = segment;
  piece.file_size = piece.memory_size = 0;
  uint64_t number = segment.first_page;
  for (uint64_t at = 0; at < segment.file_size; ++number) {
    uint64_t step = std::min(page - (segment.paddr.value + at) % page, segment.file_size - at);
    if (present_[number] && piece.memory_size > piece.file_size) {
      pieces.push_back(piece);
      piece = {segment.vaddr, segment.paddr + at, 0, 0, number};
      if (segment.vaddr.value != 0) piece.vaddr = segment.vaddr + at;
    }
    if (present_[number]) piece.file_size += step;
    piece.memory_size += step;
    at += step;
  }
  piece.memory_size += segment.memory_size - segment.file_size;
  pieces.push_back(piece);
}

std::vector<ElfSegment> ElfWriter::Present() const {
  if (present_count_ == page_count_) return parameters_.segments;
  std::vector<ElfSegment> pieces;
  for (const ElfSegment& segment : parameters_.segments) Cut(segment, pieces);
  return pieces;
}

Result<ElfWriter::Table> ElfWriter::RewriteTable(std::span<const ElfSegment> segments) const {
  Table table = {SizesOf(wide_).header, segments.size() + 1};
  if (std::ranges::equal(segments, parameters_.segments)) return table;
  if (!sink_->rewritable() || table.count > room()) table.offset = RoundUp(DataEnd().value, 8);
  TRY(sink_->WriteAt(FileOffset(table.offset), EncodeTable(segments))
          .In("writing program headers"));
  return table;
}

Status ElfWriter::Finish(bool complete) const {
  EndWithZeros();
  Table table = TRY(RewriteTable(Present()));
  TRY(sink_->WriteAt(FileOffset(0), EncodeHeader(table, complete)).In("writing the ELF header"));
  return sink_->End();
}

uint64_t ElfWriter::FileBytes(uint64_t) const { return DataEnd().value; }

}  // namespace kdumpkit
