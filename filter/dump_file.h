// SPDX-License-Identifier: GPL-2.0-or-later
// Begins the file of a dump in the format that is asked for, with all that a reader of it wants
// besides the pages.
#pragma once

#include <memory>

#include "dumpfile/kdump_writer.h"
#include "filter/input.h"
#include "filter/options.h"
#include "filter/select.h"

namespace kdumpkit {

// Page frames that the dump speaks of (max_mapnr): those of its input, at least.
uint64_t FrameCount(const Crash& crash, const Selection& selection);

// All of one bitmap.
Status WriteBitmap(KdumpWriter& writer, KdumpWriter::Bitmap which, const PageBitmap& bitmap);

// A dump of the selected pages, or the `part` of it; `level` was applied to them. Its headers are
// written: pages may be streamed into it.
Result<std::unique_ptr<DumpWriter>> BeginDump(std::unique_ptr<DumpSink> sink, const Crash& crash,
                                              const Selection& selection, int level,
                                              const FilterOptions& options,
                                              std::optional<PfnRun> part = std::nullopt);

// Bytes of the file of such a dump with `data_bytes` of page data; 0 when there can be none.
uint64_t DumpFileBytes(const Crash& crash, const Selection& selection, const FilterOptions& options,
                       uint64_t data_bytes);

}  // namespace kdumpkit
