// SPDX-License-Identifier: GPL-2.0-or-later
// Writes a kdump-compressed file, header version 6 (docs/dump-formats.md).
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/address.h"
#include "base/error.h"
#include "dumpfile/codec.h"
#include "dumpfile/dump_sink.h"
#include "dumpfile/dump_writer.h"
#include "dumpfile/kdump_format.h"

namespace kdumpkit {

struct KdumpParameters {
  TargetAbi abi;
  uint32_t block_size = 0;  // page size of the dumped kernel in bytes
  uint64_t max_mapnr = 0;   // highest page frame number + 1
  std::array<std::string, 6> utsname;
  uint64_t crash_time = 0;  // seconds since 1970 (CRASHTIME), 0 unknown
  uint32_t cpu_count = 0;   // NT_PRSTATUS notes
  uint64_t phys_base = 0;
  int dump_level = 0;
  Codec codec = Codec::kNone;
  uint64_t status = 0;  // bits of the header status beside those of codec and completeness
  ByteView notes;       // raw PT_NOTE contents; borrowed for Create only
  // VMCOREINFO text inside `notes`; size 0 when there is none.
  size_t vmcoreinfo_offset = 0;
  size_t vmcoreinfo_size = 0;
  ByteView eraseinfo;  // the record of erased data; borrowed for Create only
  // Makes one part of a split dump; `part_pages` of the dump's pages are in it.
  std::optional<KdumpPart> part;
  uint64_t part_pages = 0;
};

// Life: Create, WriteBitmap for all bytes of both bitmaps, BeginData, WritePages in any order and
// from any thread, Finish. From BeginData on the file opens in a reader and is marked incomplete
// (status bit 8) until Finish(true) rewrites its header as the last write. A page that could not be
// read gets the default PageDescriptor (all zero), and then the dump stays incomplete:
// Finish(false). Never syncs or renames: that is OutputFile's part.
//
// Into a sink that is not rewritable the header goes last, with its final status; it is announced
// before, as that of an incomplete dump.
class KdumpWriter final : public DumpWriter {
 public:
  // `page_count` is the number of bits set in bitmap 2, hence of page descriptors (of all parts, in
  // a part, too). Writes nothing. Fails when the format cannot hold the parameters.
  static Result<KdumpWriter> Create(std::unique_ptr<DumpSink> sink,
                                    const KdumpParameters& parameters, uint64_t page_count);
  // Into a file; borrows `fd`.
  static Result<KdumpWriter> Create(int fd, const KdumpParameters& parameters, uint64_t page_count);

  // Bytes of each of the two bitmaps (max_mapnr rounded up to whole blocks).
  uint64_t bitmap_bytes() const;
  enum class Bitmap { kExisting = 0, kDumped = 1 };
  // `first_byte` within the bitmap. Bit i of byte b is page frame 8 * b + i.
  Status WriteBitmap(Bitmap which, uint64_t first_byte, ByteView bytes);

  // Header, sub header and notes, marked incomplete; the file is extended over the (all zero)
  // descriptor table, so that it opens from here on. Space for the table is reserved where the file
  // system can do that; ENOSPC then shows here and not between data and descriptors.
  Status BeginData();

  // Where page data begins; the caller hands out offsets from here on.
  FileOffset data_start() const override;
  // Writes `data` at `data_offset`, and only when that succeeded the descriptors of pages
  // first_index… (in order of page frame among dumped pages, those of the part). After a failure
  // all these pages are holes or all that have a descriptor have their data. Thread safe.
  Status WritePages(uint64_t first_index, std::span<const PageDescriptor> descriptors,
                    FileOffset data_offset, ByteView data) const override;

  // The last write: header with the final status. complete = false leaves the incomplete mark.
  Status Finish(bool complete) const override;
  uint64_t FileBytes(uint64_t data_bytes) const override { return data_start().value + data_bytes; }

 private:
  KdumpWriter() = default;
  FileOffset bitmap_start() const;
  FileOffset table_start() const;
  ByteBuffer EncodeHeader(bool complete) const;
  Status WriteHeader(bool complete) const;

  std::unique_ptr<DumpSink> sink_;
  TargetAbi abi_;
  KdumpHeader header_;
  ByteBuffer sub_header_;    // encoded, with the notes and the erase record behind it
  uint64_t page_count_ = 0;  // places in the descriptor table
  uint64_t own_pages_ = 0;   // that are used
};

}  // namespace kdumpkit
