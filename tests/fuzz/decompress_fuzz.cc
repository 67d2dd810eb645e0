// SPDX-License-Identifier: GPL-2.0-or-later
// Compressed data. What no format is detected in is given to the decoder that the first byte picks,
// without it.
#include <cstdint>
#include <iterator>

#include "kexec/decompress.h"
#include "tests/kexec/packer.h"

namespace {

constexpr size_t kLimit = size_t{1} << 20;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  kdumpkit::ByteView input = std::as_bytes(std::span(data, size));
  std::optional<kdumpkit::Compression> compression = kdumpkit::DetectCompression(input);
  if (!compression) {
    compression = kdumpkit::kAllCompressions[data[0] % std::size(kdumpkit::kAllCompressions)];
    input = input.subspan(1);
    // The legacy decoder is promised its magic number.
    if (compression == kdumpkit::Compression::kLz4Legacy && input.size() < 4) return 0;
  }
  kdumpkit::Result<kdumpkit::ByteBuffer> bytes = kdumpkit::Decompress(input, *compression, kLimit);
  CHECK(bytes ? bytes->size() <= kLimit : !bytes.error().message().empty());
  return 0;
}
