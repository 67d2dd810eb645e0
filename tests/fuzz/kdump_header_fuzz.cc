// SPDX-License-Identifier: GPL-2.0-or-later
// KdumpReader on damaged files: headers, descriptors, page data, and the file as memory. The input
// is a sparse image (tests/dumpfile/sparse_image.h), so that its bytes are those that matter.
#include <algorithm>
#include <cstdint>

#include "dumpfile/kdump_reader.h"
#include "tests/dumpfile/kdump_image.h"
#include "tests/dumpfile/sparse_image.h"

using namespace kdumpkit;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void ReadPages(const KdumpReader& dump) {
  KdumpPageReader pages(dump);
  ByteBuffer page(dump.info().block_size());
  uint64_t end = std::min<uint64_t>(dump.info().max_mapnr, 256);
  for (uint64_t pfn = 0; pfn < end; ++pfn) (void)pages.Read(Pfn(pfn), page).has_value();
}

void ReadMemory(const KdumpReader& dump) {
  auto reader = dump.NewReader();
  auto ranges = dump.ranges();
  for (const PhysRange& range : ranges.first(std::min<size_t>(ranges.size(), 16)))
    (void)reader->View(range.base, std::min<uint64_t>(range.size, 16 << 10)).has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto dump = KdumpReader::Open(MemoryFile(ExpandImage(std::as_bytes(std::span(data, size)))));
  if (!dump) return 0;
  (void)(*dump)->Notes().has_value();
  (void)(*dump)->Vmcoreinfo().has_value();
  (void)(*dump)->Eraseinfo().has_value();
  ReadPages(**dump);
  ReadMemory(**dump);
  return 0;
}
