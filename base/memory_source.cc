// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/memory_source.h"

#include <algorithm>

namespace kdumpkit {

Status ReadPhysical(MemoryReader& reader, PhysAddr address, ByteSpan buffer) {
  while (!buffer.empty()) {
    size_t step = std::min(buffer.size(), MemoryReader::kMaxView);
    ByteView view = TRY(reader.View(address, step));
    std::copy(view.begin(), view.end(), buffer.begin());
    buffer = buffer.subspan(step);
    address = address + step;
  }
  return {};
}

}  // namespace kdumpkit
