// SPDX-License-Identifier: GPL-2.0-or-later
// Writes an ELF core of a machine (docs/dump-formats.md).
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "dumpfile/dump_sink.h"
#include "dumpfile/dump_writer.h"

namespace kdumpkit {

// A PT_LOAD: `memory_size` bytes of memory from `paddr` on, of which the first `file_size` are in
// the file. Segments may share pages: the kernel's image is mapped twice on x86_64.
struct ElfSegment {
  VirtAddr vaddr;  // of `paddr`; 0 when it is not known
  PhysAddr paddr;
  uint64_t file_size = 0;
  uint64_t memory_size = 0;
  uint64_t first_page = 0;  // the number among all pages of the file of the one with `paddr`

  bool operator==(const ElfSegment&) const = default;
};

// Pages whose places in the file follow each other, from the one with this number on.
struct ElfRun {
  uint64_t first_page = 0;
  uint64_t place = 0;  // in pages from the beginning of the data

  bool operator==(const ElfRun&) const = default;
};

struct ElfParameters {
  uint16_t machine = 0;  // e_machine
  ByteOrder order = ByteOrder::kLittle;
  int word_size = 8;       // 4 makes an ELF32 file if all its numbers fit
  uint64_t page_size = 0;  // bytes
  std::vector<ElfSegment> segments;
  std::vector<ElfRun> runs;  // all pages, ascending
  ByteView notes;            // contents of the PT_NOTE; borrowed for Create only
};

// Every page of the dump has its place from the beginning, in order of page frame; pages of zeros
// are holes of the file, and so may be the places of what was left out between two runs. So pages
// may come in any order, and only those that never came, or could not be read, change the segments:
// Finish cuts them out.
//
// From Begin on the file opens as a truncated core, and is marked incomplete in e_flags (on
// machines that have no flags of their own there) until Finish(true) rewrites the ELF header. Into
// a sink that is not rewritable that header goes last; it is announced before.
class ElfWriter final : public DumpWriter {
 public:
  // Writes nothing. Fails when there are more segments than a reader takes.
  static Result<std::unique_ptr<ElfWriter>> Create(std::unique_ptr<DumpSink> sink,
                                                   ElfParameters parameters, uint64_t page_count);

  // Program headers and notes.
  Status Begin() const;

  FileOffset data_start() const override { return data_start_; }
  // Places the bytes by the pages' numbers; pages that were packed are a broken promise.
  Status WritePages(uint64_t first_index, std::span<const PageDescriptor> descriptors,
                    FileOffset data_offset, ByteView data) const override;
  // New program headers stand in place of the first ones, or behind the data where there is no room
  // or the sink takes nothing twice; readers that do not look at e_phoff then see zeros instead of
  // the pages that are lost.
  Status Finish(bool complete) const override;
  uint64_t FileBytes(uint64_t data_bytes) const override;

 private:
  struct Table {
    uint64_t offset = 0;
    uint64_t count = 0;  // of program headers
  };

  ElfWriter(std::unique_ptr<DumpSink> sink, ElfParameters parameters, uint64_t page_count);
  uint64_t room() const;  // for so many program headers
  const ElfRun& RunOf(uint64_t number) const;
  FileOffset PageOffset(uint64_t number) const;
  FileOffset DataEnd() const;
  bool FitsElf32() const;
  // Sets data_start_ and what stands before it.
  void LayOut();
  ByteBuffer EncodeHeader(const Table& table, bool complete) const;
  // Program headers, and behind them the section header that counts them when there are many.
  ByteBuffer EncodeTable(std::span<const ElfSegment> segments) const;
  void PutProgram(ByteWriter& out, uint32_t type, const ElfSegment& segment, uint64_t offset) const;
  Status WriteRun(uint64_t number, ByteView data) const;
  // A file that ends with pages of zeros gets its full length, or loses them on a full disk.
  void EndWithZeros() const;
  Result<Table> RewriteTable(std::span<const ElfSegment> segments) const;
  std::vector<ElfSegment> Present() const;
  void Cut(const ElfSegment& segment, std::vector<ElfSegment>& pieces) const;

  std::unique_ptr<DumpSink> sink_;
  ElfParameters parameters_;
  ByteBuffer notes_;
  uint64_t page_count_;
  bool wide_ = true;
  uint64_t notes_offset_ = 0;
  FileOffset data_start_;
  mutable std::mutex mutex_;
  mutable std::vector<bool> present_;  // by number
  mutable uint64_t present_count_ = 0;
  mutable uint64_t data_end_ = 0;   // the number behind the last page with data
  mutable uint64_t zeros_end_ = 0;  // … behind the last page of zeros
};

}  // namespace kdumpkit
