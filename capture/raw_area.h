// SPDX-License-Identifier: GPL-2.0-or-later
// A dump on a block device without a file system. All numbers are little-endian, all texts padded
// with zeros. The header is rewritten, and synced, whenever a part begins or ends, so that it is
// true after a capture that was killed, too.
//
//   at     size  what
//   0      16    "KDUMPKIT RAW 1" and two zeros
//   16     4     state: 1 the capture did not come to its end, 2 it did
//   20     4     number of parts, at most 24
//   24     128   name of the dump's folder
//   152    104 each  a part: name (32), offset (8), size (8), state as above (4), zero (4),
//                SHA-256 of its bytes (32), zero (16)
//   4064   32    SHA-256 of the 4064 bytes before
//   4096         the parts' bytes, each beginning at a multiple of 4096
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace kdumpkit {

inline constexpr size_t kRawHeaderSize = 4096;
inline constexpr size_t kMaxRawParts = 24;

struct RawPart {
  std::string name;
  uint64_t offset = 0;  // on the device
  uint64_t size = 0;    // of an unfinished part: what was written for certain
  bool complete = false;
  std::array<std::byte, 32> sha256 = {};

  bool operator==(const RawPart&) const = default;
};

struct RawHeader {
  bool complete = false;
  std::string folder;
  std::vector<RawPart> parts;

  bool operator==(const RawHeader&) const = default;
};

ByteBuffer EncodeRawHeader(const RawHeader& header);
// kUnsupported when the device has no such header, kMalformed when it has a damaged one.
Result<RawHeader> ParseRawHeader(ByteView bytes);

// Of an open device, whose size is in bytes.
Result<RawHeader> ReadRawHeader(int fd);
Status WriteRawHeader(int fd, const RawHeader& header);
// So that there is no dump any more.
Status ClearRawHeader(int fd);
Result<uint64_t> DeviceSize(int fd);

// Where the next part begins.
uint64_t NextRawOffset(const RawHeader& header);

}  // namespace kdumpkit
