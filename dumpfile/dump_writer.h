// SPDX-License-Identifier: GPL-2.0-or-later
// What pages are streamed into: a dump file of some format, past its headers.
#pragma once

#include <span>

#include "base/address.h"
#include "base/error.h"
#include "dumpfile/kdump_format.h"

namespace kdumpkit {

class DumpWriter {
 public:
  virtual ~DumpWriter() = default;

  // Where page data begins; the caller hands out offsets from here on. The first page of data is
  // one of zeros, which all pages of zeros share.
  virtual FileOffset data_start() const = 0;
  // Takes pages first_index… (in order of page frame among all pages of the dump). Those whose
  // descriptor is all zero could not be read. `data` are the others' bytes, from `data_offset` on.
  // Thread safe.
  virtual Status WritePages(uint64_t first_index, std::span<const PageDescriptor> descriptors,
                            FileOffset data_offset, ByteView data) const = 0;
  // The last write. complete = false leaves the mark of an incomplete dump.
  virtual Status Finish(bool complete) const = 0;
  // Bytes of the file that has `data_bytes` of page data.
  virtual uint64_t FileBytes(uint64_t data_bytes) const = 0;
};

}  // namespace kdumpkit
