// SPDX-License-Identifier: GPL-2.0-or-later
// Printk rings: whatever the memory holds, the walk ends and gives no more text than the ring has.
#include <algorithm>
#include <cstdint>

#include "kernel/printk.h"
#include "tests/fuzz/printk_ring_input.h"
#include "tests/support/identity_kernel.h"

using namespace kdumpkit;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView input = std::as_bytes(std::span(data, size));
  PrintkRingBuilder ring;
  for (const PrintkRingPart& part : kPrintkRingParts) {
    ByteView bytes = input.first(std::min(part.size, input.size()));
    ring.memory().Write(PhysAddr(part.address), bytes);
    input = input.subspan(bytes.size());
  }
  IdentityKernel kernel(ring.memory(), ring.Vmcoreinfo(), ring.machine());
  uint64_t lines = 0;
  Result<LogStats> stats = ReadKernelLog(kernel, {}, [&](const LogRecord& record) -> Status {
    std::string line = FormatLogRecord(record);
    CHECK(!line.empty() && line.back() == '\n');
    ++lines;
    return {};
  });
  if (stats) CHECK(stats->records == lines);
  return 0;
}
