// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/room.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace kdumpkit {
namespace {

constexpr uint64_t kMinimumRoom = uint64_t{64} << 20;
constexpr unsigned kHighestLevel = 31;

}  // namespace

std::string DumpChoice::ToString() const {
  return fmt::format("level {}, {}", level, CompressionName(compression));
}

std::string_view CompressionName(DumpCompression compression) {
  switch (compression) {
    case DumpCompression::kNone:
      return "none";
    case DumpCompression::kZlib:
      return "zlib";
    case DumpCompression::kLzo:
      return "lzo";
    case DumpCompression::kSnappy:
      return "snappy";
    case DumpCompression::kZstd:
      return "zstd";
  }
  CHECK(false);
}

std::vector<DumpChoice> SpaceLadder(const Config& config) {
  DumpChoice asked{config.level, config.compression};
  std::vector<DumpChoice> ladder = {asked};
  if (!config.collector.empty()) return ladder;
  for (DumpChoice choice : {DumpChoice{kHighestLevel, config.compression},
                            DumpChoice{kHighestLevel, DumpCompression::kZstd}})
    if (std::find(ladder.begin(), ladder.end(), choice) == ladder.end()) ladder.push_back(choice);
  return ladder;
}

uint64_t EstimateRoom(uint64_t memory, unsigned level) {
  // Bit 16 leaves free pages out. Most kernels' own pages are well below a tenth of memory, and
  // what is left of other pages shrinks to about one half.
  constexpr unsigned kFreePages = 16;
  return kMinimumRoom + memory / ((level & kFreePages) != 0 ? 10 : 2);
}

}  // namespace kdumpkit
