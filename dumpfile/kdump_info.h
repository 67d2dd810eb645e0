// SPDX-License-Identifier: GPL-2.0-or-later
// The validated headers of a kdump-compressed file of any machine.
#pragma once

#include <optional>

#include "base/address.h"
#include "base/error.h"
#include "dumpfile/dump_source.h"
#include "dumpfile/kdump_format.h"

namespace kdumpkit {

struct KdumpInfo {
  TargetAbi abi;
  KdumpHeader header;
  KdumpSubHeader sub_header;
  uint64_t file_size = 0;
  uint64_t max_mapnr = 0;  // highest page frame number + 1, all 64 bits
  // Of a part of a split dump. Its bitmaps are those of the whole dump, there is room for all of
  // its descriptors, but only those of the part are there, from the beginning of the table on.
  std::optional<KdumpPart> part;

  uint64_t block_size() const { return header.block_size; }
  // Data is missing, or the dump was not finished.
  bool incomplete() const { return (header.status & kKdumpIncomplete) != 0; }
  uint64_t bitmap_bytes() const { return header.bitmap_blocks / 2 * header.block_size; }
  // Bitmap 1 (memory that exists); bitmap 2 (pages in the dump) follows it.
  FileOffset bitmap_start() const {
    return FileOffset((1 + header.sub_hdr_size) * header.block_size);
  }
  // The page descriptors.
  FileOffset table_start() const { return bitmap_start() + 2 * bitmap_bytes(); }
};

// Reads the headers of format versions 1 to 6. The file does not say in which ABI they are written:
// byte order follows from the version field, word size and alignment are those with which every
// field makes sense. All offsets and sizes of the result lie within the file, and both bitmaps do.
// Errors name the field, its value and its offset.
Result<KdumpInfo> ReadKdumpInfo(const DumpSource& source);

}  // namespace kdumpkit
