// SPDX-License-Identifier: GPL-2.0-or-later
// Builds ELF core files of a machine for tests: by default laid out as Linux lays out
// /proc/vmcore, with knobs for what other writers do and for what none should.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"

namespace kdumpkit {

class VmcoreBuilder {
 public:
  // Deviations from the usual file.
  struct Layout {
    uint16_t program_header_size = 56;  // e_phentsize; more than 56 leaves unused bytes
    uint16_t elf_header_size = 64;      // e_ehsize, only stated
    bool extended_numbering = false;    // PN_XNUM; always used from 65,535 program headers on
    bool sections_first = false;        // section header before program headers, as QEMU 7.2
    bool narrow = false;                // ELF32; its program headers have 32 bytes
    uint64_t page_size = 4096;          // offset and address of a segment agree modulo this
  };

  explicit VmcoreBuilder(ByteOrder order = ByteOrder::kLittle, uint16_t machine = 62 /* x86_64 */)
      : order_(order), machine_(machine) {}

  ByteOrder order() const { return order_; }
  Layout& layout() { return layout_; }

  VmcoreBuilder& AddNote(std::string_view name, uint32_t type, ByteView desc);
  VmcoreBuilder& AddVmcoreinfo(std::string_view text);
  // A "CORE" NT_PRSTATUS note of 336 bytes, as x86_64 has it.
  VmcoreBuilder& AddCpu();
  // Notes added from now on stand in a PT_NOTE of their own.
  VmcoreBuilder& NewNoteSegment();
  // Bytes as they are at the end of the current PT_NOTE, for damaged notes and padding.
  VmcoreBuilder& AddRawNoteBytes(ByteView bytes);

  // Memory from `paddr` on. `memory_size` beyond data.size() becomes p_memsz: not in the file.
  VmcoreBuilder& AddSegment(PhysAddr paddr, VirtAddr vaddr, ByteBuffer data,
                            std::optional<uint64_t> memory_size = std::nullopt);
  VmcoreBuilder& AddSegment(PhysAddr paddr, ByteBuffer data) {
    return AddSegment(paddr, VirtAddr(0), std::move(data));
  }
  // `size` zero bytes that WriteTo leaves as a hole of the file.
  VmcoreBuilder& AddZeroSegment(PhysAddr paddr, VirtAddr vaddr, uint64_t size);

  ByteBuffer Build() const;
  // Writes the file to `path` (aborts on failure) and returns `path`.
  std::string WriteTo(const std::string& path) const;

  // Where things will be in the file.
  uint64_t ProgramHeaderOffset(size_t index) const;  // the PT_NOTEs come first
  uint64_t NotesOffset() const;
  uint64_t SegmentOffset(size_t index) const;  // of the segments, in the order they were added
  uint64_t FileSize() const;

 private:
  struct Segment {
    PhysAddr paddr;
    VirtAddr vaddr;
    ByteBuffer data;
    uint64_t file_size = 0;  // data.size() or more; the rest is zero
    uint64_t memory_size = 0;
  };

  ByteBuffer& CurrentNotes();
  bool Extended() const;
  uint64_t HeaderCount() const { return notes_.size() + segments_.size(); }
  size_t ElfHeaderSize() const;
  size_t ProgramHeaderSize() const;
  size_t SectionHeaderSize() const;
  // A field as wide as an address of the file's class.
  void PutWord(ByteWriter& out, uint64_t value) const;
  uint64_t SectionOffset() const;
  uint64_t ProgramsOffset() const;
  std::vector<uint64_t> SegmentOffsets() const;
  ByteBuffer BuildHeaders() const;  // everything before the first segment
  void PutElfHeader(ByteWriter& out) const;
  void PutSectionHeader(ByteWriter& out) const;
  void PutPrograms(ByteWriter& out) const;

  ByteOrder order_;
  uint16_t machine_;
  Layout layout_;
  std::vector<ByteBuffer> notes_;
  std::vector<Segment> segments_;
};

// `size` bytes that differ from page to page and from seed to seed.
ByteBuffer PatternBytes(size_t size, uint64_t seed);

}  // namespace kdumpkit
