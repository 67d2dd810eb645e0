// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/dumpfile/kdump_image.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <vector>

#include "base/file.h"

namespace kdumpkit {
namespace {

KdumpParameters ImageParameters(const KdumpImageOptions& options) {
  KdumpParameters parameters;
  parameters.abi = options.abi;
  parameters.block_size = kImageBlock;
  parameters.max_mapnr = kImageFrames;
  parameters.utsname = {"Linux", "node", "6.1.0", "#1 SMP", "x86_64", "(none)"};
  parameters.crash_time = 0x65432100;
  parameters.cpu_count = 2;
  parameters.phys_base = 0x1000000;
  parameters.dump_level = 31;
  parameters.codec = options.codec;
  if (!options.notes) return parameters;
  parameters.notes = AsBytes(kImageNotes);
  parameters.vmcoreinfo_offset = kImageNotes.size() - kImageVmcoreinfo.size();
  parameters.vmcoreinfo_size = kImageVmcoreinfo.size();
  return parameters;
}

void SetBit(ByteBuffer& bitmap, Pfn pfn) {
  bitmap[pfn.value / 8] |= static_cast<std::byte>(1 << pfn.value % 8);
}

void WriteBitmaps(KdumpWriter& writer, std::span<const Pfn> dumped) {
  ByteBuffer bitmap(writer.bitmap_bytes());
  for (uint64_t pfn = 0; pfn < 16; ++pfn) SetBit(bitmap, Pfn(pfn));
  for (uint64_t pfn = 64; pfn < 72; ++pfn) SetBit(bitmap, Pfn(pfn));
  CHECK(writer.WriteBitmap(KdumpWriter::Bitmap::kExisting, 0, bitmap).has_value());
  bitmap.assign(bitmap.size(), std::byte{0});
  for (Pfn pfn : dumped) SetBit(bitmap, pfn);
  CHECK(writer.WriteBitmap(KdumpWriter::Bitmap::kDumped, 0, bitmap).has_value());
}

// Data and descriptors of kCompressedPage, kRawPage and the two zero pages.
void WriteImagePages(const KdumpWriter& writer, Codec codec) {
  auto compressor = Compressor::Make(codec, kImageBlock);
  CHECK(compressor.has_value());
  ByteBuffer data((*compressor)->bound());
  data.resize((*compressor)->Compress(ImagePage(kCompressedPage), data));
  uint32_t flags = data.empty() ? 0 : CodecFlag(codec);
  if (data.empty()) data = ImagePage(kCompressedPage);
  uint64_t start = writer.data_start().value, raw_at = start + data.size();
  PageDescriptor zero{raw_at + kImageBlock, kImageBlock, 0};
  PageDescriptor descriptors[] = {
      {start, static_cast<uint32_t>(data.size()), flags}, {raw_at, kImageBlock, 0}, zero, zero};
  ByteBuffer raw = ImagePage(kRawPage);
  data.insert(data.end(), raw.begin(), raw.end());
  data.resize(data.size() + kImageBlock);
  CHECK(writer.WritePages(0, descriptors, writer.data_start(), data).has_value());
}

ByteBuffer ReadWhole(int fd) {
  struct stat status;
  CHECK(fstat(fd, &status) == 0);
  ByteBuffer bytes(static_cast<size_t>(status.st_size));
  CHECK(ReadFullyAt(fd, FileOffset(0), bytes).has_value());
  return bytes;
}

}  // namespace

ByteBuffer ImagePage(Pfn pfn) {
  ByteBuffer page(kImageBlock);
  if (pfn == kCompressedPage)
    for (size_t i = 0; i < 2048; ++i) page[i] = static_cast<std::byte>(i % 5 + i / 100);
  if (pfn == kRawPage)
    for (size_t i = 0; i < 64; ++i) page[i] = static_cast<std::byte>(i * i + 7);
  return page;
}

ByteBuffer MakeKdumpImage(const KdumpImageOptions& options) {
  std::vector<Pfn> dumped = {kCompressedPage, kRawPage, kZeroPage, kOtherZeroPage};
  if (options.lost) dumped.push_back(kLostPage);
  UniqueFd file = MemoryFile({});
  auto writer = KdumpWriter::Create(file.get(), ImageParameters(options), dumped.size());
  CHECK(writer.has_value());
  WriteBitmaps(*writer, dumped);
  CHECK(writer->BeginData().has_value());
  WriteImagePages(*writer, options.codec);
  CHECK(writer->Finish(!options.lost).has_value());
  return ReadWhole(file.get());
}

UniqueFd MemoryFile(ByteView bytes) {
  UniqueFd fd(memfd_create("kdumpkit-test", MFD_CLOEXEC));
  CHECK(fd.valid());
  CHECK(WriteFullyAt(fd.get(), FileOffset(0), bytes).has_value());
  return fd;
}

}  // namespace kdumpkit
