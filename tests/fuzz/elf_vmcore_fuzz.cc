// SPDX-License-Identifier: GPL-2.0-or-later
// Core files: headers, notes, and memory where the segments say it is.
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

#include "base/file.h"
#include "elf/vmcore.h"

using namespace kdumpkit;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void ReadMemory(const Vmcore& core) {
  auto reader = core.NewReader();
  auto ranges = core.ranges();
  for (const PhysRange& range : ranges.first(std::min<size_t>(ranges.size(), 64))) {
    uint64_t size = std::min<uint64_t>(range.size, 4096);
    (void)reader->View(range.base, size).has_value();
    // A view of bytes before and after it; the last range may end at the last address.
    (void)reader->View(PhysAddr(range.base.value - 8), size + 16).has_value();
    (void)reader->View(range.end(), 4096).has_value();
  }
}

void CheckNotes(const Vmcore& core) {
  for (const Note& note : core.notes())
    CHECK(note.raw_offset + note.desc.size() <= core.raw_notes().size());
  (void)core.vmcoreinfo();
  (void)core.cpu_count();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  UniqueFd fd(memfd_create("vmcore", MFD_CLOEXEC));
  CHECK(fd.valid());
  CHECK(WriteFullyAt(fd.get(), FileOffset(0), std::as_bytes(std::span(data, size))).has_value());
  auto core = Vmcore::Open(fmt::format("/proc/self/fd/{}", fd.get()));
  if (!core) return 0;
  CheckNotes(**core);
  ReadMemory(**core);
  return 0;
}
