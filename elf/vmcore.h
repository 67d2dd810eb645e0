// SPDX-License-Identifier: GPL-2.0-or-later
// An ELF core of a whole machine: /proc/vmcore, a copy of it, or what a hypervisor writes.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/data_source.h"
#include "base/memory_source.h"

namespace kdumpkit {

// One PT_LOAD: `file_size` bytes at `offset` of the file are physical memory from `paddr` on.
// Bytes from file_size to memory_size are not in the file (an earlier filter left them out).
struct Segment {
  PhysAddr paddr;
  VirtAddr vaddr;
  FileOffset offset;
  uint64_t file_size = 0;
  uint64_t memory_size = 0;
};

// One ELF note. `desc` points into the notes that the Vmcore owns.
struct Note {
  std::string name;
  uint32_t type = 0;
  ByteView desc;
  // Where desc begins in Vmcore::raw_notes(), in bytes.
  size_t raw_offset = 0;
};

class Vmcore : public MemorySource {
 public:
  // Reads and checks headers, segments and notes; memory is read on demand. Every error names the
  // file and the offset.
  // `map`: see WindowMode::kMap; false reads /proc/vmcore, too.
  static Result<std::unique_ptr<Vmcore>> Open(const std::string& path, bool map = true);
  // A core that is no file of its own; `path` is for messages.
  static Result<std::unique_ptr<Vmcore>> Open(std::unique_ptr<DataSource> source,
                                              const std::string& path);

  virtual uint16_t machine() const = 0;  // e_machine
  virtual ByteOrder order() const = 0;
  // Bytes of the machine's unsigned long. 4 for ELF32; 32-bit machines may have ELF64 cores, too.
  virtual int word_size() const = 0;
  // In the order of the file; they may overlap (the kernel text stands twice on x86_64).
  virtual std::span<const Segment> segments() const = 0;
  virtual std::span<const Note> notes() const = 0;
  // All PT_NOTE contents, concatenated as they are in the file.
  virtual ByteView raw_notes() const = 0;
  // The end of the file when segments reach beyond it. What is in the file can be read.
  virtual std::optional<FileOffset> truncated_at() const = 0;
  // makedumpfile -E could not write all of it, and says so in the header.
  virtual bool marked_incomplete() const = 0;
  // What is wrong with the file though it can be used (a truncated file, a damaged note): whole
  // sentences for the user.
  virtual std::span<const std::string> warnings() const = 0;

  // The first note named "VMCOREINFO"; null when there is none.
  const Note* vmcoreinfo() const;
  // How many "CORE" notes of type NT_PRSTATUS there are: one a CPU.
  uint32_t cpu_count() const;
};

}  // namespace kdumpkit
