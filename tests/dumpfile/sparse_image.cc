// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/dumpfile/sparse_image.h"

#include <algorithm>

namespace kdumpkit {
namespace {

constexpr size_t kRecordHead = 3;
constexpr size_t kLongestRecord = 255;

void PutRecord(ByteWriter& writer, size_t offset, ByteView bytes) {
  writer.Put(static_cast<uint16_t>(offset));
  writer.Put(static_cast<uint8_t>(bytes.size()));
  writer.PutBytes(bytes);
}

// Where the zeros begin that are longer than a record's head, looking from `at` on.
size_t EndOfRecord(ByteView image, size_t at) {
  size_t limit = std::min(image.size(), at + kLongestRecord), end = at;
  for (size_t i = at; i < limit && i <= end + kRecordHead; ++i)
    if (image[i] != std::byte{0}) end = i + 1;
  return end;
}

}  // namespace

ByteBuffer ExpandImage(ByteView records) {
  ByteBuffer image;
  while (records.size() >= kRecordHead) {
    size_t offset = LoadUnchecked<uint16_t>(records.data(), ByteOrder::kLittle);
    size_t size = std::min(static_cast<size_t>(records[2]), records.size() - kRecordHead);
    image.resize(std::max(image.size(), offset + size));
    std::ranges::copy(records.subspan(kRecordHead, size),
                      image.begin() + static_cast<ptrdiff_t>(offset));
    records = records.subspan(kRecordHead + size);
  }
  return image;
}

ByteBuffer PackImage(ByteView image) {
  CHECK(image.size() <= 0xffff);
  ByteWriter writer(ByteOrder::kLittle);
  for (size_t at = 0; at < image.size(); ++at) {
    if (image[at] == std::byte{0}) continue;
    size_t end = EndOfRecord(image, at);
    PutRecord(writer, at, image.subspan(at, end - at));
    at = end - 1;
  }
  PutRecord(writer, image.size(), {});
  return std::move(writer).Take();
}

}  // namespace kdumpkit
