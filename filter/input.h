// SPDX-License-Identifier: GPL-2.0-or-later
// A file with a dead machine's memory, of whichever format, told by its content: an ELF vmcore, a
// kdump-compressed file, or one of these flattened.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dumpfile/kdump_reader.h"
#include "elf/vmcore.h"
#include "filter/options.h"
#include "kernel/crashed_kernel.h"

namespace kdumpkit {

struct Input {
  // Errors name the file. `map`: see Vmcore::Open.
  static Result<Input> Open(const std::string& path, bool map = true);

  const MemorySource& memory() const;
  // What was memory when the machine died, in the file or not.
  std::vector<PhysRange> existing() const;
  // Data is missing that was meant to be there: truncated, or marked incomplete.
  bool incomplete() const;
  // The dump level that was applied when the file was made; 0 when none was or nothing says so.
  int dump_level() const;
  // The level that may have been applied: what it leaves out cannot be counted any more. An ELF
  // core of others does not say its level, only that it lacks memory.
  int possible_level() const;
  std::string_view vmcoreinfo() const;  // empty without one
  // Fails for a part of a split dump: memory that is not in it is in another file.
  Status CheckWhole() const;

  std::string path;
  bool running = false;  // /proc/kcore: the memory of the kernel that runs here
  // Exactly one of the two.
  std::unique_ptr<Vmcore> elf;
  std::unique_ptr<KdumpReader> kdump;
  bool flattened = false;  // what is read from is a flattened stream

  // Of an ELF core that we made: the level, and what else was kept of a kdump header's status.
  int elf_level = 0;
  uint64_t elf_status = 0;
  // elf_machine is 0 when the file does not tell.
  MachineId machine;
  // Contents of the note segments; notes[i].desc and vmcoreinfo() point into them.
  ByteBuffer raw_notes;
  std::vector<Note> notes;
  // The VMCOREINFO text in raw_notes; size 0 when there is none.
  size_t vmcoreinfo_offset = 0;
  size_t vmcoreinfo_size = 0;
  uint32_t cpu_count = 0;
  ByteBuffer eraseinfo;  // the record of data erased from the dump
  std::vector<std::string> warnings;
};

// A file and the kernel in it.
struct Crash {
  // A kernel that cannot be understood is a warning only; `names` that are another kernel's, or
  // cannot be read, are an error. `map`: see Input::Open.
  static Result<Crash> Open(const std::string& path, const NameSources& names = {},
                            bool map = true);

  Input input;
  std::unique_ptr<CrashedKernel> kernel;  // null when it cannot be understood
  uint64_t page_size = 0;
  int page_shift = 0;
  Utsname utsname;
  uint64_t crash_time = 0;  // seconds since 1970, 0 unknown
  uint64_t phys_base = 0;
  std::vector<std::string> warnings;  // about the kernel
};

struct GivenNames;

// `input` must outlive the result. kUsage when the names are another kernel's.
Result<std::unique_ptr<CrashedKernel>> OpenKernel(const Input& input, const GivenNames& names);
Result<std::unique_ptr<CrashedKernel>> OpenKernel(const Input& input, const NameSources& names);

}  // namespace kdumpkit
