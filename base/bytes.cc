// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/bytes.h"

#include <algorithm>

namespace kdumpkit {

bool IsZero(ByteView bytes) {
  // 64 bytes at a time: the compiler turns the inner OR into vector code, and a page that is not
  // zero is recognised after its first block in nearly every case.
  const std::byte* data = bytes.data();
  size_t left = bytes.size();
  while (left >= 64) {
    uint64_t any = 0;
    for (size_t i = 0; i < 64; i += 8) any |= LoadUnchecked<uint64_t>(data + i, kHostOrder);
    if (any != 0) return false;
    data += 64;
    left -= 64;
  }
  return std::all_of(data, data + left, [](std::byte b) { return b == std::byte{0}; });
}

std::string HexText(ByteView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (std::byte byte : bytes) {
    text += kDigits[std::to_integer<size_t>(byte >> 4)];
    text += kDigits[std::to_integer<size_t>(byte & std::byte{15})];
  }
  return text;
}

Result<ByteView> ByteReader::Bytes(uint64_t offset, uint64_t size) const {
  if (!Has(offset, size)) return OutOfBounds(offset, size);
  return bytes_.subspan(offset, size);
}

Error ByteReader::OutOfBounds(uint64_t offset, uint64_t size) const {
  return Truncated("{}: {} bytes at offset {:#x} lie beyond its end at {:#x}", object_, size,
                   origin_ + offset, origin_ + bytes_.size());
}

void ByteWriter::PutText(std::string_view text, size_t width) {
  size_t used = std::min(text.size(), width - 1);
  PutBytes(AsBytes(text.substr(0, used)));
  buffer_.resize(buffer_.size() + (width - used));
}

}  // namespace kdumpkit
