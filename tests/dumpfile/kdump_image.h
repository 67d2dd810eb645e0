// SPDX-License-Identifier: GPL-2.0-or-later
// A small dump of every kind of page, made by KdumpWriter, as bytes to be damaged by tests.
#pragma once

#include "base/unique_fd.h"
#include "dumpfile/kdump_writer.h"

namespace kdumpkit {

inline constexpr uint32_t kImageBlock = 4096;
inline constexpr uint64_t kImageFrames = 100;  // max_mapnr

// Page frames of the dump; 0 to 15 and 64 to 71 exist.
inline constexpr Pfn kCompressedPage{3};
inline constexpr Pfn kRawPage{4};
inline constexpr Pfn kZeroPage{65};
inline constexpr Pfn kOtherZeroPage{66};  // shares the data of kZeroPage
inline constexpr Pfn kLostPage{70};       // only with `lost`

struct KdumpImageOptions {
  TargetAbi abi;
  Codec codec = Codec::kZlib;
  bool lost = false;  // with a hole, hence incomplete
  bool notes = true;
};

// Contents of the pages above (zero where none are given).
ByteBuffer ImagePage(Pfn pfn);
inline constexpr std::string_view kImageNotes = "note header OSRELEASE=6.1.0\nPAGESIZE=4096\n";
inline constexpr std::string_view kImageVmcoreinfo = "OSRELEASE=6.1.0\nPAGESIZE=4096\n";

ByteBuffer MakeKdumpImage(const KdumpImageOptions& options);

// A nameless file with these bytes.
UniqueFd MemoryFile(ByteView bytes);

}  // namespace kdumpkit
