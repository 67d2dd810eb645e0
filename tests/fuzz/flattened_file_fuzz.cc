// SPDX-License-Identifier: GPL-2.0-or-later
// FlattenedFile on any records: what it says it has can be read, unless the stream is cut. The
// input is what follows the stream's header.
#include <algorithm>
#include <cstdint>

#include "dumpfile/flattened_file.h"
#include "dumpfile/flattened_format.h"
#include "tests/dumpfile/kdump_image.h"

using namespace kdumpkit;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteWriter stream(ByteOrder::kBig);
  stream.PutBytes(AsBytes(kFlattenedSignature));
  stream.PadTo(kFlattenedTypeOffset);
  stream.Put(kFlattenedType);
  stream.Put(kFlattenedVersion);
  stream.PadTo(kFlattenedHeaderSize);
  stream.PutBytes(std::as_bytes(std::span(data, size)));
  auto file = FlattenedFile::Open(OpenedFile::Make(MemoryFile(std::move(stream).Take())).value());
  if (!file) return 0;
  uint64_t end = (*file)->size();
  ByteBuffer bytes(std::min<uint64_t>(end, 4096));
  for (uint64_t at : {uint64_t{0}, end / 2, end - bytes.size()}) {
    bool read =
        (*file)->ReadFully(FileOffset(at), ByteSpan(bytes).first(bytes.size() / 2)).has_value();
    CHECK(read || !(*file)->complete());
  }
  return 0;
}
