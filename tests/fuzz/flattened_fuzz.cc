// SPDX-License-Identifier: GPL-2.0-or-later
// Flattened streams: made a file of, and read as they are. Where both accept one, they have to
// agree. The input is the records, in a sparse form (tests/dumpfile/sparse_image.h); the header is
// added.
#include <cstdint>

#include "base/file.h"
#include "dumpfile/dump_check.h"
#include "dumpfile/flattened_source.h"
#include "dumpfile/unflatten.h"
#include "tests/dumpfile/kdump_image.h"
#include "tests/dumpfile/sparse_image.h"

using namespace kdumpkit;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

const std::atomic<bool> never_stop = false;
// A file that is compared; larger ones are holes for the most part.
constexpr uint64_t kMostCompared = 1 << 20;

void CheckSame(const DumpSource& source, int fd) {
  ByteBuffer a(source.size()), b(source.size());
  CHECK(source.ReadFullyAt(FileOffset(0), a).has_value());
  CHECK(ReadFullyAt(fd, FileOffset(0), b).has_value());
  CHECK(a == b);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteBuffer stream = EncodeFlattenedHeader({});
  ByteBuffer records = ExpandImage(std::as_bytes(std::span(data, size)));
  stream.insert(stream.end(), records.begin(), records.end());
  UniqueFd output = MemoryFile({});
  Result<Unflattened> made = Unflatten(MemoryFile(stream).get(), output.get(), never_stop);
  auto source = FlattenedSource::Open(MemoryFile(stream));
  CHECK(made.has_value() && made->failure.has_value() != source.has_value());
  if (!source) return 0;
  if ((*source)->size() <= kMostCompared) CheckSame(**source, output.get());
  auto dump = KdumpReader::Open(std::move(*source));
  if (dump && (*dump)->page_count() < 256) (void)CheckDump(**dump, std::nullopt, never_stop);
  return 0;
}
