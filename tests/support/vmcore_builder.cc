// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/vmcore_builder.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"

namespace kdumpkit {
namespace {

uint64_t RoundUp(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

void PutPadded(ByteWriter& out, ByteView bytes) {
  out.PutBytes(bytes);
  out.PadTo(RoundUp(out.size(), 4));
}

}  // namespace

ByteBuffer& VmcoreBuilder::CurrentNotes() {
  if (notes_.empty()) notes_.emplace_back();
  return notes_.back();
}

VmcoreBuilder& VmcoreBuilder::NewNoteSegment() {
  notes_.emplace_back();
  return *this;
}

VmcoreBuilder& VmcoreBuilder::AddRawNoteBytes(ByteView bytes) {
  ByteBuffer& notes = CurrentNotes();
  notes.insert(notes.end(), bytes.begin(), bytes.end());
  return *this;
}

VmcoreBuilder& VmcoreBuilder::AddNote(std::string_view name, uint32_t type, ByteView desc) {
  ByteWriter out(order_);
  out.Put(static_cast<uint32_t>(name.size() + 1));
  out.Put(static_cast<uint32_t>(desc.size()));
  out.Put(type);
  PutPadded(out, AsBytes(std::string(name) + '\0'));
  PutPadded(out, desc);
  return AddRawNoteBytes(std::move(out).Take());
}

VmcoreBuilder& VmcoreBuilder::AddVmcoreinfo(std::string_view text) {
  return AddNote("VMCOREINFO", 0, AsBytes(text));
}

VmcoreBuilder& VmcoreBuilder::AddCpu() { return AddNote("CORE", NT_PRSTATUS, ByteBuffer(336)); }

VmcoreBuilder& VmcoreBuilder::AddSegment(PhysAddr paddr, VirtAddr vaddr, ByteBuffer data,
                                         std::optional<uint64_t> memory_size) {
  uint64_t size = data.size();
  segments_.push_back({paddr, vaddr, std::move(data), size, memory_size.value_or(size)});
  return *this;
}

VmcoreBuilder& VmcoreBuilder::AddZeroSegment(PhysAddr paddr, VirtAddr vaddr, uint64_t size) {
  segments_.push_back({paddr, vaddr, {}, size, size});
  return *this;
}

bool VmcoreBuilder::Extended() const {
  return layout_.extended_numbering || HeaderCount() >= PN_XNUM;
}

size_t VmcoreBuilder::ElfHeaderSize() const {
  return layout_.narrow ? sizeof(Elf32_Ehdr) : sizeof(Elf64_Ehdr);
}

size_t VmcoreBuilder::ProgramHeaderSize() const {
  return layout_.narrow ? sizeof(Elf32_Phdr) : layout_.program_header_size;
}

size_t VmcoreBuilder::SectionHeaderSize() const {
  return layout_.narrow ? sizeof(Elf32_Shdr) : sizeof(Elf64_Shdr);
}

void VmcoreBuilder::PutWord(ByteWriter& out, uint64_t value) const {
  if (layout_.narrow)
    out.Put(static_cast<uint32_t>(value));
  else
    out.Put(value);
}

uint64_t VmcoreBuilder::SectionOffset() const {
  if (layout_.sections_first) return ElfHeaderSize();
  return Extended() ? ProgramHeaderOffset(HeaderCount()) : 0;
}

uint64_t VmcoreBuilder::ProgramsOffset() const {
  return ElfHeaderSize() + (layout_.sections_first ? SectionHeaderSize() : 0);
}

uint64_t VmcoreBuilder::ProgramHeaderOffset(size_t index) const {
  return ProgramsOffset() + index * ProgramHeaderSize();
}

uint64_t VmcoreBuilder::NotesOffset() const {
  uint64_t end = ProgramHeaderOffset(HeaderCount());
  if (Extended() && !layout_.sections_first) end += SectionHeaderSize();
  return RoundUp(end, layout_.page_size);
}

// A segment begins in the file at the same place of a page as it does in memory, and takes whole
// pages: that is how /proc/vmcore has it.
std::vector<uint64_t> VmcoreBuilder::SegmentOffsets() const {
  uint64_t at = NotesOffset();
  for (const ByteBuffer& notes : notes_) at += notes.size();
  std::vector<uint64_t> offsets;
  for (const Segment& segment : segments_) {
    at = RoundUp(at, layout_.page_size) + segment.paddr.value % layout_.page_size;
    offsets.push_back(at);
    at += segment.file_size;
  }
  offsets.push_back(at);
  return offsets;
}

uint64_t VmcoreBuilder::SegmentOffset(size_t index) const { return SegmentOffsets()[index]; }
uint64_t VmcoreBuilder::FileSize() const { return SegmentOffsets().back(); }

void VmcoreBuilder::PutElfHeader(ByteWriter& out) const {
  uint8_t data = order_ == ByteOrder::kLittle ? ELFDATA2LSB : ELFDATA2MSB;
  const uint8_t ident[EI_NIDENT] = {
      0x7f, 'E',       'L', 'F', static_cast<uint8_t>(layout_.narrow ? ELFCLASS32 : ELFCLASS64),
      data, EV_CURRENT};
  out.PutBytes(std::as_bytes(std::span(ident)));
  out.Put(static_cast<uint16_t>(ET_CORE));
  out.Put(machine_);
  out.Put(static_cast<uint32_t>(EV_CURRENT));
  PutWord(out, 0);  // e_entry
  PutWord(out, ProgramsOffset());
  PutWord(out, SectionOffset());
  out.Put(uint32_t{0});  // e_flags
  out.Put(layout_.elf_header_size);
  out.Put(static_cast<uint16_t>(ProgramHeaderSize()));
  out.Put(static_cast<uint16_t>(Extended() ? PN_XNUM : HeaderCount()));
  out.Put(static_cast<uint16_t>(SectionHeaderSize()));
  out.Put(static_cast<uint16_t>(SectionOffset() != 0 ? 1 : 0));
  out.Put(uint16_t{0});  // e_shstrndx
}

void VmcoreBuilder::PutSectionHeader(ByteWriter& out) const {
  size_t begin = out.size();
  out.PadTo(begin +
            (layout_.narrow ? offsetof(Elf32_Shdr, sh_info) : offsetof(Elf64_Shdr, sh_info)));
  out.Put(static_cast<uint32_t>(Extended() ? HeaderCount() : 0));
  out.PadTo(begin + SectionHeaderSize());
}

void VmcoreBuilder::PutPrograms(ByteWriter& out) const {
  auto put = [&](uint32_t type, uint64_t offset, const Segment& segment) {
    size_t begin = out.size();
    out.Put(type);
    auto flags = static_cast<uint32_t>(type == PT_LOAD ? PF_R | PF_W | PF_X : 0);
    if (!layout_.narrow) out.Put(flags);
    for (uint64_t value :
         {offset, segment.vaddr.value, segment.paddr.value, segment.file_size, segment.memory_size})
      PutWord(out, value);
    if (layout_.narrow) out.Put(flags);
    PutWord(out, 0);
    out.PadTo(begin + ProgramHeaderSize());
  };
  uint64_t at = NotesOffset();
  for (const ByteBuffer& notes : notes_) {
    put(PT_NOTE, at, {PhysAddr(0), VirtAddr(0), {}, notes.size(), notes.size()});
    at += notes.size();
  }
  std::vector<uint64_t> offsets = SegmentOffsets();
  for (size_t i = 0; i < segments_.size(); ++i) put(PT_LOAD, offsets[i], segments_[i]);
}

ByteBuffer VmcoreBuilder::BuildHeaders() const {
  ByteWriter out(order_);
  PutElfHeader(out);
  if (layout_.sections_first) PutSectionHeader(out);
  PutPrograms(out);
  if (Extended() && !layout_.sections_first) PutSectionHeader(out);
  out.PadTo(NotesOffset());
  for (const ByteBuffer& notes : notes_) out.PutBytes(notes);
  return std::move(out).Take();
}

ByteBuffer VmcoreBuilder::Build() const {
  ByteBuffer file = BuildHeaders();
  std::vector<uint64_t> offsets = SegmentOffsets();
  file.resize(std::max<uint64_t>(offsets.back(), file.size()));
  for (size_t i = 0; i < segments_.size(); ++i)
    std::copy(segments_[i].data.begin(), segments_[i].data.end(),
              file.begin() + static_cast<ptrdiff_t>(offsets[i]));
  return file;
}

std::string VmcoreBuilder::WriteTo(const std::string& path) const {
  Result<UniqueFd> fd = OpenFile(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(fd.has_value());
  std::vector<uint64_t> offsets = SegmentOffsets();
  CHECK(ftruncate(fd->get(), static_cast<off_t>(offsets.back())) == 0);
  CHECK(WriteFullyAt(fd->get(), FileOffset(0), BuildHeaders()).has_value());
  for (size_t i = 0; i < segments_.size(); ++i)
    CHECK(WriteFullyAt(fd->get(), FileOffset(offsets[i]), segments_[i].data).has_value());
  return path;
}

ByteBuffer PatternBytes(size_t size, uint64_t seed) {
  ByteBuffer bytes(size);
  uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
  for (std::byte& byte : bytes) {
    // xorshift64 (Marsaglia 2003)
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<std::byte>(state >> 32);
  }
  return bytes;
}

}  // namespace kdumpkit
