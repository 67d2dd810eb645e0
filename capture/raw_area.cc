// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/raw_area.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "base/sha256.h"

namespace kdumpkit {
namespace {

constexpr std::string_view kMagic("KDUMPKIT RAW 1\0\0", 16);
constexpr uint32_t kUnfinished = 1, kFinished = 2;
constexpr size_t kStateAt = 16, kCountAt = 20, kFolderAt = 24, kFolderWidth = 128;
constexpr size_t kPartsAt = 152, kPartSize = 104, kNameWidth = 32;
constexpr size_t kDigestAt = kRawHeaderSize - 32;
static_assert(kPartsAt + kMaxRawParts * kPartSize <= kDigestAt);

void PutPart(const RawPart& part, ByteWriter& out) {
  size_t begin = out.size();
  out.PutText(part.name, kNameWidth);
  out.Put<uint64_t>(part.offset);
  out.Put<uint64_t>(part.size);
  out.Put<uint32_t>(part.complete ? kFinished : kUnfinished);
  out.Put<uint32_t>(0);
  out.PutBytes(part.sha256);
  out.PadTo(begin + kPartSize);
}

// A text that is padded with zeros. It becomes a file's name.
Result<std::string> Name(const ByteReader& reader, uint64_t at, size_t width) {
  std::string_view text = AsText(TRY(reader.Bytes(at, width)));
  text = text.substr(0, text.find('\0'));
  if (text.empty() || text.front() == '.' || text.find('/') != std::string_view::npos)
    return Malformed("the raw area has a bad name at {:#x}", at);
  return std::string(text);
}

Result<RawPart> ReadPart(const ByteReader& reader, uint64_t at) {
  RawPart part;
  part.name = TRY(Name(reader, at, kNameWidth));
  part.offset = TRY(reader.U64(at + 32));
  part.size = TRY(reader.U64(at + 40));
  part.complete = TRY(reader.U32(at + 48)) == kFinished;
  ByteView digest = TRY(reader.Bytes(at + 56, part.sha256.size()));
  std::copy(digest.begin(), digest.end(), part.sha256.begin());
  if (part.offset < kRawHeaderSize || part.offset + part.size < part.offset)
    return Malformed("the raw area has a part at offset {:#x} with {:#x} bytes", part.offset,
                     part.size);
  return part;
}

std::array<std::byte, 32> DigestOf(ByteView bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Finish();
}

}  // namespace

ByteBuffer EncodeRawHeader(const RawHeader& header) {
  CHECK(header.parts.size() <= kMaxRawParts);
  ByteWriter out(ByteOrder::kLittle);
  out.PutBytes(AsBytes(kMagic));
  out.Put<uint32_t>(header.complete ? kFinished : kUnfinished);
  out.Put<uint32_t>(static_cast<uint32_t>(header.parts.size()));
  out.PutText(header.folder, kFolderWidth);
  for (const RawPart& part : header.parts) PutPart(part, out);
  out.PadTo(kDigestAt);
  ByteBuffer bytes = std::move(out).Take();
  std::array<std::byte, 32> digest = DigestOf(bytes);
  bytes.insert(bytes.end(), digest.begin(), digest.end());
  return bytes;
}

Result<RawHeader> ParseRawHeader(ByteView bytes) {
  if (!AsText(bytes).starts_with(kMagic)) return Unsupported("there is no dump");
  ByteReader reader(bytes, ByteOrder::kLittle, "the raw area's header");
  ByteView stored = TRY(reader.Bytes(kDigestAt, 32));
  std::array<std::byte, 32> digest = DigestOf(bytes.first(kDigestAt));
  if (!std::equal(stored.begin(), stored.end(), digest.begin()))
    return Malformed("the raw area's header is damaged");
  RawHeader header;
  header.complete = TRY(reader.U32(kStateAt)) == kFinished;
  header.folder = TRY(Name(reader, kFolderAt, kFolderWidth));
  uint32_t count = TRY(reader.U32(kCountAt));
  if (count > kMaxRawParts) return Malformed("the raw area has {} parts", count);
  for (uint32_t i = 0; i < count; ++i)
    header.parts.push_back(TRY(ReadPart(reader, kPartsAt + i * kPartSize)));
  return header;
}

Result<RawHeader> ReadRawHeader(int fd) {
  ByteBuffer bytes(kRawHeaderSize);
  TRY(ReadFullyAt(fd, FileOffset(0), bytes));
  return ParseRawHeader(bytes);
}

Status WriteRawHeader(int fd, const RawHeader& header) {
  TRY(WriteFullyAt(fd, FileOffset(0), EncodeRawHeader(header)));
  if (fsync(fd) != 0) return SystemError(errno, "cannot sync the header");
  return {};
}

Status ClearRawHeader(int fd) {
  TRY(WriteFullyAt(fd, FileOffset(0), ByteBuffer(kRawHeaderSize)));
  if (fsync(fd) != 0) return SystemError(errno, "cannot sync the header");
  return {};
}

Result<uint64_t> DeviceSize(int fd) {
  off_t end = lseek(fd, 0, SEEK_END);
  if (end < 0) return SystemError(errno, "cannot ask for the device's size");
  return static_cast<uint64_t>(end);
}

uint64_t NextRawOffset(const RawHeader& header) {
  uint64_t end = kRawHeaderSize;
  for (const RawPart& part : header.parts) end = std::max(end, part.offset + part.size);
  return (end + kRawHeaderSize - 1) / kRawHeaderSize * kRawHeaderSize;
}

}  // namespace kdumpkit
