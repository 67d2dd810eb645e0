// SPDX-License-Identifier: GPL-2.0-or-later
// How large a dump becomes, and the ladder from what was asked for to smaller dumps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace kdumpkit {

struct DumpChoice {
  unsigned level = 31;
  DumpCompression compression = DumpCompression::kLzo;

  bool operator==(const DumpChoice&) const = default;
  // "level 31, zstd".
  std::string ToString() const;
};

std::string_view CompressionName(DumpCompression compression);

// As asked for, then with the highest level, then with the strongest compression too; only those
// that differ. Another collector's settings cannot be changed.
std::vector<DumpChoice> SpaceLadder(const Config& config);

// The room that a dump of `memory` bytes usually needs, rather more than less; see
// kdump-capture(8).
uint64_t EstimateRoom(uint64_t memory, unsigned level);

}  // namespace kdumpkit
