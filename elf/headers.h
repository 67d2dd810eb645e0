// SPDX-License-Identifier: GPL-2.0-or-later
// The ELF header and the program headers of a core file, byte order undone. Sizes and offsets are
// as the file states them; whether the file is that long is the caller's question.
#pragma once

#include <string>
#include <vector>

#include "base/data_source.h"

namespace kdumpkit {

// The kinds of program header that a core of a machine has; others are left out.
enum class ProgramHeaderKind { kLoad, kNote };

struct ProgramHeader {
  ProgramHeaderKind kind = ProgramHeaderKind::kLoad;
  uint64_t offset = 0;  // in the file, bytes
  uint64_t vaddr = 0;
  uint64_t paddr = 0;
  uint64_t file_size = 0;
  uint64_t memory_size = 0;
};

struct ElfHeaders {
  uint16_t machine = 0;
  ByteOrder order = ByteOrder::kLittle;
  bool wide = true;                     // ELF64, else ELF32
  uint32_t flags = 0;                   // e_flags
  std::vector<ProgramHeader> programs;  // in the order of the file
};

// `path` is for messages.
Result<ElfHeaders> ReadElfHeaders(const DataSource& file, const std::string& path);

}  // namespace kdumpkit
