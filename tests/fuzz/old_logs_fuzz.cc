// SPDX-License-Identifier: GPL-2.0-or-later
// The logs before Linux 5.10: whatever the memory holds, the walk ends and gives no more text than
// the buffer has, or than its length says. The first byte of the input chooses the kind and whether
// it is the partial log; the kernel's variables follow (but for the buffer's address), then the
// buffer.
#include <algorithm>
#include <array>
#include <cstdint>

#include "kernel/printk.h"
#include "tests/support/identity_kernel.h"
#include "tests/support/old_log_builder.h"

using namespace kdumpkit;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kVariableBytes = 5 * 8;  // behind log_buf

void Walk(OldLog& old, ByteView input, const LogOptions& options) {
  ByteView variables = input.first(std::min(kVariableBytes, input.size()));
  ByteView buffer = input.subspan(variables.size());
  buffer = buffer.first(std::min<size_t>(OldLog::kSize, buffer.size()));
  old.memory().Write(PhysAddr(OldLog::kVariables + 8), variables);
  old.memory().Write(PhysAddr(OldLog::kBuffer), buffer);
  IdentityKernel kernel(old.memory(), old.Vmcoreinfo(), {62, old.order(), 8});
  size_t bytes = 0;
  auto sink = [&](const LogRecord& record) -> Status {
    CHECK(FormatLogRecord(record).back() == '\n');
    bytes += record.line.empty() ? record.text.size() : record.line.size();
    return {};
  };
  Result<LogStats> stats = ReadKernelLog(kernel, options, sink);
  std::array<std::byte, 4> length = {};
  std::copy_n(variables.begin(), std::min(length.size(), variables.size()), length.begin());
  size_t claimed = LoadUnchecked<uint32_t>(length.data(), old.order());
  CHECK(!stats || bytes <= std::max<size_t>(OldLog::kSize, claimed) || !stats->problem.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  LogOptions options{(data[0] & 2) != 0};
  ByteView input = std::as_bytes(std::span(data + 1, size - 1));
  if ((data[0] & 1) != 0) {
    TextLog log;
    Walk(log, input, options);
  } else {
    RecordLog log({});
    Walk(log, input, options);
  }
  return 0;
}
