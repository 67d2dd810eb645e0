// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/rearrange.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace kdumpkit {
namespace {

constexpr size_t kHeaderSize = 4096;
constexpr size_t kKeptHeader = 2048;  // of the dump, for streams that are cut

uint64_t Number(ByteView stream, size_t at) {
  return LoadUnchecked<uint64_t>(stream.data() + at, ByteOrder::kBig);
}

bool IsStreamHeader(ByteView stream) {
  return stream.size() >= kHeaderSize && AsText(stream).starts_with("makedumpfile") &&
         IsZero(stream.subspan(12, 4)) && Number(stream, 16) == 1 && Number(stream, 24) == 1 &&
         IsZero(stream.subspan(32, kKeptHeader - 32)) &&
         (IsZero(stream.subspan(kKeptHeader, 8)) ||
          AsText(stream.subspan(kKeptHeader)).starts_with("KDUMP   ") ||
          AsText(stream.subspan(kKeptHeader)).starts_with("\177ELF"));
}

}  // namespace

ByteBuffer Rearrange(ByteView stream) {
  std::map<uint64_t, ByteView> records;
  size_t at = kHeaderSize;
  bool ended = false;
  EXPECT_TRUE(IsStreamHeader(stream));
  while (!ended && at + 16 <= stream.size()) {
    uint64_t offset = Number(stream, at);
    uint64_t size = Number(stream, at + 8);
    at += 16;
    ended = offset == UINT64_MAX && size == UINT64_MAX;
    if (ended) break;
    if (size == 0 || size > stream.size() - at) break;
    EXPECT_TRUE(records.emplace(offset, stream.subspan(at, size)).second) << offset;
    at += size;
  }
  EXPECT_TRUE(ended && at == stream.size()) << "ends at " << at << " of " << stream.size();
  ByteBuffer dump;
  for (const auto& [offset, bytes] : records) {
    EXPECT_LE(dump.size(), offset);
    dump.resize(std::max<size_t>(dump.size(), offset));
    dump.insert(dump.end(), bytes.begin(), bytes.end());
  }
  return ended ? dump : ByteBuffer();
}

}  // namespace kdumpkit
