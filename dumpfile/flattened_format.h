// SPDX-License-Identifier: GPL-2.0-or-later
// The frame of a flattened dump (docs/dump-formats.md). Numbers are big-endian on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kdumpkit {

// The header: signature, type and version, the rest zero.
inline constexpr std::string_view kFlattenedSignature = "makedumpfile";
inline constexpr size_t kFlattenedHeaderSize = 4096;
inline constexpr size_t kFlattenedTypeOffset = 16;
inline constexpr size_t kFlattenedVersionOffset = 24;
inline constexpr uint64_t kFlattenedType = 1;
inline constexpr uint64_t kFlattenedVersion = 1;
// A record's offset and size; all bits set in both end the stream.
inline constexpr size_t kFlattenedRecordHeaderSize = 16;
inline constexpr uint64_t kFlattenedEndMark = UINT64_MAX;

}  // namespace kdumpkit
