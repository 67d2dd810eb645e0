// SPDX-License-Identifier: GPL-2.0-or-later
// The headers of an EFI program (PE/COFF): what it is, its sections, its signature.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace kdumpkit {

// Sizes and offsets in bytes, as the section table states them.
struct PeSection {
  std::string name;
  uint32_t virtual_size = 0;     // in memory
  uint32_t virtual_address = 0;  // from the image's base
  uint32_t raw_size = 0;         // in the file, rounded up to the file alignment
  uint32_t raw_offset = 0;       // in the file

  // Bytes that the file gives to the section's memory: its contents without the padding.
  uint32_t DataSize() const { return virtual_size < raw_size ? virtual_size : raw_size; }
};

struct PeImage {
  uint16_t machine = 0;             // IMAGE_FILE_MACHINE_*
  uint16_t subsystem = 0;           // IMAGE_SUBSYSTEM_*
  uint64_t certificate_offset = 0;  // of the certificate table, in the file
  uint64_t certificate_size = 0;    // 0: not signed
  std::vector<PeSection> sections;  // as many as the given bytes hold

  // The certificate table is there, and inside a file of this size.
  bool IsSigned(uint64_t file_size) const;
  // Where the last section ends in the file: what a complete file has at least.
  uint64_t SectionsEnd() const;
};

// `head` is the beginning of a file. Absent when it holds no PE header.
std::optional<PeImage> ParsePeImage(ByteView head);

// The section's contents in `file`, which is the whole file. Fails when they lie beyond its end.
Result<ByteView> SectionData(const PeSection& section, ByteView file);

// "x86_64", as uname spells it, or the number.
std::string PeMachineName(uint16_t machine);

}  // namespace kdumpkit
