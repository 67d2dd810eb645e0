// SPDX-License-Identifier: GPL-2.0-or-later
// A vmlinux: what is accepted must be safe to hand to the kernel.
#include <cstdint>

#include "kexec/elf_kernel.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kdumpkit::Result<kdumpkit::ElfKernel> kernel =
      kdumpkit::ParseElfKernel(std::as_bytes(std::span(data, size)));
  if (!kernel) {
    CHECK(!kernel.error().message().empty());
    return 0;
  }
  CHECK(!kernel->pieces.empty());
  uint64_t end = 0;
  bool has_entry = false;
  for (const kdumpkit::ElfKernel::Piece& piece : kernel->pieces) {
    CHECK(piece.file_size <= size && piece.file_offset <= size - piece.file_size);
    CHECK(piece.memory_size != 0 && piece.file_size <= piece.memory_size);
    CHECK(piece.paddr >= end && piece.end() > piece.paddr);
    end = piece.end();
    has_entry |= kernel->entry >= piece.paddr && kernel->entry < end;
  }
  CHECK(has_entry);
  return 0;
}
