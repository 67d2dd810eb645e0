// SPDX-License-Identifier: GPL-2.0-or-later
// The flattened form of a dump, as bytes (docs/dump-formats.md). Numbers are big-endian.
#pragma once

#include <optional>
#include <string_view>

#include "base/address.h"
#include "base/bytes.h"

namespace kdumpkit {

inline constexpr std::string_view kFlattenedSignature = "makedumpfile";
inline constexpr size_t kFlattenedHeaderSize = 4096;
inline constexpr size_t kFlattenedRecordSize = 16;  // without its bytes

// Bytes that follow in the stream, and where in the dump they belong.
struct FlattenedRecord {
  FileOffset offset;
  uint64_t size = 0;
};

// `beginning`: how the dump begins as long as it is incomplete, for streams that have that last;
// at most 2048 bytes, kept in a part of the header that other readers pass over.
ByteBuffer EncodeFlattenedHeader(ByteView beginning);
Status CheckFlattenedHeader(ByteView header);
// Of a header that was checked; empty when it has none.
ByteView BeginningIn(ByteView header);

// The end of the stream is all bits set.
void EncodeFlattenedRecord(uint64_t offset, uint64_t size, ByteSpan out);
inline constexpr uint64_t kFlattenedEnd = UINT64_MAX;
// None is the end of the stream. A record that does not lie within the first 2^50 bytes of the dump
// is refused; `at` is its place in the stream, for messages.
Result<std::optional<FlattenedRecord>> DecodeFlattenedRecord(ByteView record, uint64_t at);

}  // namespace kdumpkit
